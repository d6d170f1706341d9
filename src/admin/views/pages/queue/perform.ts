import { narrowing, readdressingOf } from "../../../api/actions/way.ts";
import type { AdminPorts, MessageFilter, QueueCommand, QueuePort } from "../../../ports.ts";
import type { QueueActionName } from "./actions.ts";

/** What has to be said of some actions besides which messages are meant. */
export interface ActionInput {
  /** Name of a transport; `BY_ROUTES` goes back to the routes. */
  readonly to_transport: string;
  /** A mailbox. */
  readonly remove: string;
  /** Mailboxes, separated by white space or commas. */
  readonly add: string;
}

/** The choice of no transport of one's own. */
export const BY_ROUTES = "-";

/** An action that is ready to be counted and done. */
export interface Performance {
  /** What of a filter must hold besides. */
  readonly narrowing: MessageFilter;
  /** Does it; returns how many messages it changed. */
  run(queue: QueuePort, request: { filter: MessageFilter; by: string }): Promise<number>;
}

/** The input of an action, from an address or a form. */
export function inputOf(given: Readonly<Record<string, readonly string[]>>): ActionInput {
  const text = (name: string): string => given[name]?.[0]?.trim() ?? "";
  return { to_transport: text("to_transport"), remove: text("remove"), add: text("add") };
}

/** Names of input, which do not belong to a filter. */
export const INPUT_NAMES: readonly (keyof ActionInput)[] = ["to_transport", "remove", "add"];

/** An action with its input; what is wrong with the input where it cannot be done. */
export function performanceOf(
  name: QueueActionName,
  { input, ports }: { input: ActionInput; ports: AdminPorts },
): Performance | { readonly wrong: string } {
  switch (name) {
    case "reroute":
      return rerouting(input, ports);
    case "readdress":
      return readdressing(input);
    case "send-again":
      return sendingAgain(input, ports);
    default:
      return commanding({ kind: name });
  }
}

function commanding(command: QueueCommand, filter: MessageFilter = {}): Performance {
  return {
    narrowing: filter,
    run: (queue, request) => queue.command({ ...request, command }),
  };
}

function rerouting({ to_transport: name }: ActionInput, ports: AdminPorts) {
  if (name === "") return { wrong: "Choose a transport." };
  if (name !== BY_ROUTES && !isTransport(ports, name)) {
    return { wrong: "There is no such transport." };
  }
  return commanding({ kind: "reroute", transport: name === BY_ROUTES ? null : name });
}

function readdressing({ remove, add }: ActionInput) {
  const change = readdressingOf({
    add: add.split(/[\s,;]+/).filter(Boolean),
    ...(remove === "" ? {} : { remove }),
  });
  if (change === null) return { wrong: "Name mail addresses such as user@example.net." };
  return commanding({ kind: "readdress", ...change }, narrowing(change));
}

function sendingAgain({ to_transport: name }: ActionInput, ports: AdminPorts) {
  const isChosen = name !== "" && name !== BY_ROUTES;
  if (isChosen && !isTransport(ports, name)) return { wrong: "There is no such transport." };
  const changes = isChosen ? { transport: name } : {};
  return {
    narrowing: {},
    run: async (queue: QueuePort, request: { filter: MessageFilter; by: string }) =>
      (await queue.sendAllAgain({ ...request, ...changes })).sent,
  };
}

function isTransport({ transports }: AdminPorts, wanted: string): boolean {
  return transports.list().some(({ name }) => name === wanted);
}
