import type { QueueCommand, RecipientState } from "../../queue/store.ts";
import { type Command, type Example, JSON_FLAG } from "../command.ts";
import { applyChange, CHANGE_DETAILS, CHANGE_FLAGS } from "./apply.ts";

/** What one of the changing commands says and does. */
interface PlainChange {
  readonly kind: Exclude<QueueCommand["kind"], "reroute" | "readdress">;
  readonly summary: string;
  /** Recipients it can change; null means any. */
  readonly states: readonly RecipientState[] | null;
  /** `Retried`, for the last line. */
  readonly done: string;
  readonly examples: readonly Example[];
}

const CHANGES: readonly PlainChange[] = [
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
  details: CHANGE_DETAILS,
  flags: [...CHANGE_FLAGS, JSON_FLAG],
  examples: [
    { command: `queue ${change.kind} 01JZ3V9KQ8M2XW4T`, does: "One message" },
    ...change.examples,
  ],
  run: (invocation) => {
    const { kind, states, done } = change;
    return applyChange(invocation, { name: kind, command: { kind }, states, done });
  },
}));
