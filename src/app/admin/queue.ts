import type { QueueCommand, QueuePort } from "../../admin/ports.ts";
import { commandOutline } from "../../webhooks/command_outline.ts";
import type { RelayParts } from "./parts.ts";

const PAGE = 200;

/** Commands for one message are also events of it; the timelines of all tell who did what. */
const DONE = {
  retry: "retried",
  hold: "held",
  release: "released",
  cancel: "cancelled",
  bounce: "returned",
  reroute: "rerouted",
  readdress: "readdressed",
  delete: "deleted",
} as const;

/**
 * Mail that goes another way now, or nowhere, must not wait in line as it did: it would be sent from
 * there although it was cancelled, or returned to its sender.
 */
const LEAVES_LINE: ReadonlySet<QueueCommand["kind"]> = new Set(
  ["reroute", "hold", "cancel", "bounce", "readdress", "delete"] as const,
);

/** What a command says besides its name. */
function reasonOf(command: QueueCommand): { readonly reason?: string } {
  if (command.kind === "reroute") {
    const { transport } = command;
    return { reason: transport === null ? "to its routes" : `to transport ${transport}` };
  }
  if (command.kind !== "readdress") return {};
  const { remove, add } = command;
  const parts = [
    ...(remove === undefined ? [] : [`without ${remove}`]),
    ...(add.length === 0 ? [] : [`to ${add.map(({ forwardPath }) => forwardPath).join(", ")}`]),
  ];
  return { reason: parts.join(", ") };
}

/** The queue of a running relay, for the admin API. */
export function queuePort(parts: RelayParts): QueuePort {
  const { store, scheduler, clock, events, webhooks, sendAgain } = parts;
  return {
    async sendAgain(request) {
      const result = await sendAgain(request);
      if (result.kind === "queued") {
        events({ type: "operated", by: request.by, action: "sent again", target: request.id });
        scheduler.wake();
      }
      return result;
    },
    sendAllAgain: (request) => sendAllAgain(request, parts),
    list: (request) => store.list(request),
    count: (filter) => store.count(filter),
    countWithin: (filter, withinMs) => store.countWithin(filter, withinMs),
    get: (id) => store.get(id),
    body: (id, options) => store.body(id, options),
    stats: () => store.stats(),
    shape: (request) => store.shape(request),
    async command({ filter, command, by }) {
      const told = webhooks.isEmpty ? null : commandOutline(command.kind, by);
      const goOn = (): void => {
        if (!LEAVES_LINE.has(command.kind)) return scheduler.wake();
        scheduler.reclaim(filter.ids && new Set(filter.ids));
      };
      const changed = await store.command({
        ...{ filter, command, nowMs: clock.now(), by },
        ...(told === null ? {} : { event: told }),
      }).catch((error) => {
        goOn(); // the store may have done it all the same, for some messages or for all
        throw error;
      });
      if (command.kind === "retry") {
        scheduler.probe(filter.domain === undefined ? "all" : { domain: filter.domain });
      }
      if (changed === 0) return 0;
      const [id, ...others] = filter.ids ?? [];
      if (id !== undefined && others.length === 0) {
        events({ type: DONE[command.kind], messageId: id, by, ...reasonOf(command) });
      } else {
        const target = `${changed} ${changed === 1 ? "message" : "messages"}`;
        events({ type: "operated", by, action: DONE[command.kind], target, ...reasonOf(command) });
      }
      goOn();
      return changed;
    },
  };
}

/** New messages come after those that the pages go through, so none is sent twice. */
async function sendAllAgain(
  { filter, ...request }: Parameters<QueuePort["sendAllAgain"]>[0],
  { store, scheduler, events, sendAgain }: RelayParts,
): Promise<{ sent: number; refused: number }> {
  let [sent, refused] = [0, 0];
  let cursor: string | null = null;
  do {
    const from: { cursor?: string } = cursor === null ? {} : { cursor };
    const page = await store.list({ filter, limit: PAGE, ...from });
    for (const { message: { id } } of page.items) {
      const result = await sendAgain({ ...request, id });
      if (result.kind === "queued") sent += 1;
      else refused += 1;
    }
    cursor = page.cursor;
  } while (cursor !== null);
  if (sent > 0) {
    const target = `${sent} ${sent === 1 ? "message" : "messages"}`;
    events({ type: "operated", by: request.by, action: "sent again", target });
    scheduler.wake();
  }
  return { sent, refused };
}
