import type { MessageFilter, QueueCommand, RecipientState } from "../../queue/store.ts";
import { type Command, type Example, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { isAgreed } from "../question.ts";
import { counted } from "../text.ts";
import { FILTER_FLAGS, readFilter } from "./filter.ts";
import { QUEUE_FLAGS, withQueue } from "./open.ts";

/** Who changed something, in timelines. */
const ACTOR = "command line";

/** What one of the changing commands says and does. */
interface Change {
  readonly kind: Exclude<QueueCommand["kind"], "reroute" | "readdress">;
  readonly summary: string;
  /** Recipients it can change; null means any. */
  readonly states: readonly RecipientState[] | null;
  /** `Retried`, for the last line. */
  readonly done: string;
  readonly examples: readonly Example[];
}

const CHANGES: readonly Change[] = [
  {
    kind: "retry",
    summary: "Try messages again now.",
    states: ["queued"],
    done: "Retried",
    examples: [{
      command: "queue retry --domain example.net",
      does: "All that waits for a domain",
    }],
  },
  {
    kind: "hold",
    summary: "Hold messages back until they are released.",
    states: ["queued"],
    done: "Held",
    examples: [{ command: "queue hold --sender spammer@example.org", does: "All of one sender" }],
  },
  {
    kind: "release",
    summary: "Release held messages.",
    states: ["held"],
    done: "Released",
    examples: [{ command: "queue release --all --yes", does: "Everything, without a question" }],
  },
  {
    kind: "cancel",
    summary: "Cancel messages; nobody is notified.",
    states: ["queued", "held"],
    done: "Cancelled",
    examples: [{ command: "queue cancel --older-than 3d", does: "What waits for three days" }],
  },
  {
    kind: "bounce",
    summary: "Give messages up; their senders are notified.",
    states: ["queued", "held"],
    done: "Gave up",
    examples: [{ command: "queue bounce --domain gone.example", does: "There is nobody" }],
  },
  {
    kind: "delete",
    summary: "Forget messages with all that is known of them; nobody is notified.",
    states: null,
    done: "Deleted",
    examples: [{
      command: "queue delete --state delivered --older-than 1h",
      does: "What is done with",
    }],
  },
];

/** `queue retry`, `queue hold` and the others that change messages. */
export const queueChangeCommands: readonly Command[] = CHANGES.map((change) => ({
  name: `queue ${change.kind}`,
  summary: change.summary,
  operands: "[ID…]",
  details: "Means the messages named by id or by a filter; --all means every one. Asks before " +
    "it changes several at a terminal. Works while the relay runs and while it does not.",
  flags: [
    ...FILTER_FLAGS,
    { name: "all", kind: "switch", help: "Every message." },
    { name: "yes", short: "y", kind: "switch", help: "Do not ask." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: `queue ${change.kind} 01JZ3V9KQ8M2XW4T`, does: "One message" },
    ...change.examples,
  ],
  run: (invocation) => apply(invocation, change),
}));

async function apply(invocation: Invocation, change: Change): Promise<ExitCode> {
  const { io, flags } = invocation;
  const nowMs = Date.now();
  const read = readFilter(invocation, nowMs);
  const isVague = read.kind === "ok" && read.isOpen && !flags.switch("all");
  if (read.kind === "wrong" || isVague) {
    const reason = read.kind === "wrong"
      ? read.reason
      : "Name messages by id or by a filter, or all of them with --all.";
    io.err(`${reason}\nSee posthouse queue ${change.kind} --help.\n`);
    return EXIT.usage;
  }
  const filter: MessageFilter = {
    ...(change.states === null ? {} : { states: change.states }),
    ...read.filter,
  };
  return await withQueue(invocation, async (store) => {
    const matching = await store.count(filter);
    if (!(await isWanted(invocation, { change, matching }))) return EXIT.failed;
    const command = { kind: change.kind };
    const changed = matching === 0 ? 0 : await store.command({ filter, command, nowMs, by: ACTOR });
    if (flags.switch("json")) writeJson(io, { command: change.kind, matching, changed });
    else io.out(`${change.done} ${counted(changed, "message")}.\n`);
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
  const verb = change.kind.charAt(0).toUpperCase() + change.kind.slice(1);
  if (await isAgreed(io, `${verb} ${counted(matching, "message")}?`)) return true;
  io.err("Nothing was changed.\n");
  return false;
}
