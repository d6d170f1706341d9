import type { AdminClient } from "../../admin/client.ts";
import type { MessageFilter, MessagePage, QueueCommand } from "../../queue/store.ts";
import { ask } from "../relay/ask.ts";
import type { QueueAccess } from "./access.ts";

/** The most that the API lists at once. */
const PAGE = 1000;

/** The messages of a running relay, by its admin API. Throws RelayError as `ask` does. */
export function remoteQueue(client: AdminClient): QueueAccess {
  return {
    async list({ filter, limit, order, cursor }) {
      const query = {
        ...{ ...queryOf(filter), limit: String(Math.min(limit, PAGE)) },
        ...(order === undefined ? {} : { order }),
        ...(cursor === undefined ? {} : { cursor }),
      };
      // The schema of the answer is that of the store, but for keys that may be undefined.
      return await ask(client.messages.$get({ query })) as MessagePage;
    },
    async count(filter) {
      return (await ask(client.messages.count.$get({ query: queryOf(filter) }))).count;
    },
    async shape({ agesMs, limit, domain }) {
      const query = {
        ...{ limit: String(Math.min(limit, PAGE)), ageMs: agesMs.map(String) },
        ...(domain === undefined ? {} : { domain }),
      };
      return await ask(client.queue.shape.$get({ query }));
    },
    async get(id) {
      const call = client.messages[":id"].$get({ param: { id } });
      return (await call).status === 404 ? null : await ask(call) as Awaited<
        ReturnType<QueueAccess["get"]>
      >;
    },
    async command({ filter, command }) {
      return (await ask(commandCall(client, { filter, command }))).changed;
    },
  };
}

function commandCall(
  client: AdminClient,
  { filter, command }: { filter: MessageFilter; command: QueueCommand },
) {
  const { actions } = client.messages;
  const meant = { filter: bodyOf(filter), all: true };
  switch (command.kind) {
    case "reroute":
      return actions.reroute.$post({ query: {}, json: { ...meant, transport: command.transport } });
    case "readdress": {
      const add = command.add.map(({ forwardPath }) => forwardPath);
      const remove = command.remove === undefined ? {} : { remove: command.remove };
      return actions.readdress.$post({ query: {}, json: { ...meant, add, ...remove } });
    }
    default:
      return actions[":action"].$post({
        ...{ query: {}, param: { action: command.kind }, json: meant },
      });
  }
}

/** A filter as the API takes it in a body. */
function bodyOf({ ids, states, replyStart, ...rest }: MessageFilter) {
  return {
    ...rest,
    ...(ids === undefined ? {} : { ids: [...ids] }),
    ...(states === undefined ? {} : { states: [...states] }),
    ...(replyStart === undefined ? {} : { replyCode: replyStart }),
  };
}

/** The same in a query. */
function queryOf(filter: MessageFilter) {
  const { subdomains, minSizeBytes, maxSizeBytes, minAttempts, ...rest } = bodyOf(filter);
  const { receivedAfterMs, receivedBeforeMs, ...texts } = rest;
  const numbers = { minSizeBytes, maxSizeBytes, minAttempts, receivedAfterMs, receivedBeforeMs };
  const given = Object.entries(numbers).filter(([, number]) => number !== undefined);
  return {
    ...texts,
    ...Object.fromEntries(given.map(([name, number]) => [name, String(number)])),
    ...(subdomains === undefined ? {} : { subdomains: subdomains ? "true" : "false" } as const),
  };
}
