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
    summary: "Retry messages now.",
    states: ["queued"],
    done: "Retried",
    examples: [{
      command: "queue retry --domain example.net",
      does: "All messages waiting for a domain",
    }],
  },
  {
    kind: "hold",
    summary: "Hold messages until they are released.",
    states: ["queued"],
    done: "Held",
    examples: [{
      command: "queue hold --sender spammer@example.org",
      does: "All messages of a sender",
    }],
  },
  {
    kind: "release",
    summary: "Release held messages.",
    states: ["held"],
    done: "Released",
    examples: [{
      command: "queue release --all --yes",
      does: "All messages, without confirmation",
    }],
  },
  {
    kind: "cancel",
    summary: "Cancel messages without notifying their senders.",
    states: ["queued", "held"],
    done: "Cancelled",
    examples: [{
      command: "queue cancel --older-than 3d",
      does: "Messages that have waited for three days",
    }],
  },
  {
    kind: "bounce",
    summary: "Bounce messages; their senders are notified.",
    states: ["queued", "held"],
    done: "Bounced",
    examples: [{
      command: "queue bounce --domain gone.example",
      does: "All messages for a domain that no longer exists",
    }],
  },
  {
    kind: "delete",
    summary: "Delete messages and their history without notifying their senders.",
    states: null,
    done: "Deleted",
    examples: [{
      command: "queue delete --state delivered --older-than 1h",
      does: "Delivered messages",
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
