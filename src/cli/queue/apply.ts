import type { MessageFilter, QueueCommand, RecipientState } from "../../queue/store.ts";
import type { Flag, Invocation } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { isAgreed } from "../question.ts";
import { counted } from "../text.ts";
import { ACCESS_FLAGS, withMessages } from "./access.ts";
import { FILTER_FLAGS, readFilter } from "./filter.ts";

/** The flags of commands that change messages. */
export const CHANGE_FLAGS: readonly Flag[] = [
  ...FILTER_FLAGS,
  { name: "all", kind: "switch", help: "All messages." },
  { name: "yes", short: "y", kind: "switch", help: "Do not ask for confirmation." },
  ...ACCESS_FLAGS,
];

/** What such a command says of the messages it means. */
export const CHANGE_DETAILS =
  "Select messages by id or by a filter; --all selects every message. At a terminal it " +
  "asks before it changes several messages. Works with or without a running relay, and " +
  "with --url on a remote relay.";

/** A command for messages that flags and operands name. */
export interface Change {
  /** The word after `queue`. */
  readonly name: string;
  readonly command: QueueCommand;
  /** Recipients it can change; null means any. */
  readonly states: readonly RecipientState[] | null;
  /** `Retried`, for the last line. */
  readonly done: string;
  /** What the filter must hold besides. */
  readonly narrowing?: MessageFilter;
  /** Whether the command itself says which messages it means. */
  readonly isNarrow?: boolean;
}

/** Why a command changes nothing of messages that fit. */
const WHY_NOT: Partial<Record<QueueCommand["kind"], string>> = {
  retry: "an attempt is running or next in line; posthouse queue show reports its result",
  reroute: "the messages take that transport already",
};

/** Counts what fits, asks where it is much, and does it. */
export async function applyChange(invocation: Invocation, change: Change): Promise<ExitCode> {
  const { io, flags } = invocation;
  const read = readFilter(invocation, Date.now());
  const isOpen = read.kind === "ok" && read.isOpen && change.isNarrow !== true;
  if (read.kind === "wrong" || (isOpen && !flags.switch("all"))) {
    const reason = read.kind === "wrong"
      ? read.reason
      : "Select messages by id or by a filter, or use --all.";
    io.err(`${reason}\nSee posthouse queue ${change.name} --help.\n`);
    return EXIT.usage;
  }
  const filter: MessageFilter = {
    ...(change.states === null ? {} : { states: change.states }),
    ...read.filter,
    ...change.narrowing,
  };
  return await withMessages(invocation, async (queue) => {
    const matching = await queue.count(filter);
    if (!(await isWanted(invocation, { change, matching }))) return EXIT.failed;
    const { command } = change;
    const changed = matching === 0 ? 0 : await queue.command({ filter, command });
    if (flags.switch("json")) writeJson(io, { command: change.name, matching, changed });
    else io.out(`${change.done} ${counted(changed, "message")}.\n`);
    if (matching > 0 && changed === 0) {
      io.err(`Nothing changed: ${WHY_NOT[change.command.kind] ?? "it is so already"}.\n`);
      return EXIT.failed;
    }
    // An id that means nothing is a mistake; a filter that fits nothing is an answer.
    return filter.ids !== undefined && matching === 0 ? EXIT.failed : EXIT.ok;
  });
}

/** Asks before several messages are changed; a script is not asked. */
async function isWanted(
  { io, flags }: Invocation,
  { change, matching }: { change: Change; matching: number },
): Promise<boolean> {
  const isAsked = matching > 1 && io.terminal.stdin && !flags.switch("yes");
  if (!isAsked) return true;
  const verb = change.name.charAt(0).toUpperCase() + change.name.slice(1);
  if (await isAgreed(io, `${verb} ${counted(matching, "message")}?`)) return true;
  io.err("Nothing was changed.\n");
  return false;
}
