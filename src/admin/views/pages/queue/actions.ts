import { RECIPIENT_STATES } from "../../../../queue/store.ts";
import type { MessageFilter, RecipientState } from "../../../ports.ts";

/** Something an operator can do to messages. */
export interface QueueAction {
  /** States of recipients that it changes. */
  readonly changes: readonly RecipientState[];
  readonly label: string;
  /** What happens to `12 messages`, as a question. */
  readonly question: (what: string) => string;
  readonly explanation: string;
  /** What happened to `12 messages`. */
  readonly done: (what: string) => string;
  readonly isDangerous: boolean;
  /** What has to be said besides which messages are meant; absent means nothing. */
  readonly asks?: "transport" | "recipients";
}

/** By the word that stands in addresses and forms. */
export const QUEUE_ACTIONS = {
  retry: {
    changes: ["queued"],
    label: "Retry now",
    question: (what) => `Retry ${what} now?`,
    explanation: "Queued recipients become due now. Running attempts are not affected.",
    done: (what) => `Retrying ${what}.`,
    isDangerous: false,
  },
  hold: {
    changes: ["queued"],
    label: "Hold",
    question: (what) => `Hold ${what}?`,
    explanation: "Queued recipients wait until an operator releases them.",
    done: (what) => `${what} held.`,
    isDangerous: false,
  },
  release: {
    changes: ["held"],
    label: "Release",
    question: (what) => `Release ${what}?`,
    explanation: "Held recipients are queued and retried now.",
    done: (what) => `${what} released.`,
    isDangerous: false,
  },
  reroute: {
    changes: ["queued", "held"],
    label: "Reroute",
    question: (what) => `Reroute ${what}?`,
    explanation:
      "All further attempts use the chosen transport instead of the routes; the next one is " +
      "due now. Running attempts are not affected.",
    done: (what) => `${what} rerouted.`,
    isDangerous: false,
    asks: "transport",
  },
  readdress: {
    changes: ["queued", "held"],
    label: "Recipients",
    question: (what) => `Change the recipients of ${what}?`,
    explanation:
      "Cancel a recipient, add others, or do both to replace one. No recipient gets a message " +
      "twice.",
    done: (what) => `${what} readdressed.`,
    isDangerous: false,
    asks: "recipients",
  },
  cancel: {
    changes: ["queued", "held"],
    label: "Cancel",
    question: (what) => `Cancel ${what}?`,
    explanation:
      "They are not delivered to the remaining recipients, and the senders are not notified. " +
      "This cannot be undone.",
    done: (what) => `${what} cancelled.`,
    isDangerous: true,
  },
  bounce: {
    changes: ["queued", "held"],
    label: "Bounce",
    question: (what) => `Bounce ${what}?`,
    explanation: "Their senders are notified of the failure. This cannot be undone.",
    done: (what) => `Bounced ${what}.`,
    isDangerous: true,
  },
  "send-again": {
    changes: ["failed", "expired", "cancelled"],
    label: "Send again",
    question: (what) => `Send ${what} again?`,
    explanation:
      "Each is queued as a new message for the recipients it did not reach. Messages without " +
      "content are skipped.",
    done: (what) => `Sent ${what} again.`,
    isDangerous: false,
    asks: "transport",
  },
  delete: {
    changes: RECIPIENT_STATES,
    label: "Delete",
    question: (what) => `Delete ${what}?`,
    explanation:
      "They are deleted with their timelines, without notifying senders. This cannot be undone.",
    done: (what) => `${what} deleted.`,
    isDangerous: true,
  },
} as const satisfies Readonly<Record<string, QueueAction>>;
export type QueueActionName = keyof typeof QUEUE_ACTIONS;

/** The action that a word means; null when none. */
export function queueActionOf(
  word: string | undefined,
): { readonly name: QueueActionName; readonly action: QueueAction } | null {
  if (word === undefined || !Object.hasOwn(QUEUE_ACTIONS, word)) return null;
  const name = word as QueueActionName;
  return { name, action: QUEUE_ACTIONS[name] };
}

/** The part of a filter that an action can change, so that a count promises nothing it does not do. */
export function changeable(filter: MessageFilter, { changes }: QueueAction): MessageFilter {
  const { states } = filter;
  return {
    ...filter,
    states: states === undefined ? changes : changes.filter((state) => states.includes(state)),
  };
}

/** The actions that make sense for recipients in these states; null means any state. */
export function actionsIn(
  states: readonly RecipientState[] | null,
): readonly (readonly [QueueActionName, QueueAction])[] {
  const isWaiting = states !== null && states.some((state) => !isDone(state));
  const all: readonly (readonly [string, QueueAction])[] = Object.entries(QUEUE_ACTIONS);
  return (all as readonly (readonly [QueueActionName, QueueAction])[]).filter(([name, action]) =>
    // What waits is cancelled or bounced; only what is done is forgotten.
    (name !== "delete" || !isWaiting) &&
    (states === null || action.changes.some((state) => states.includes(state)))
  );
}

function isDone(state: RecipientState): boolean {
  return state !== "queued" && state !== "held";
}
