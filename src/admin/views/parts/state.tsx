import type { RecipientState, WayState } from "../../ports.ts";

/** What a colour says; never alone. */
export type Tone = "wait" | "good" | "warn" | "bad" | "hold" | "idle";

interface Look {
  readonly tone: Tone;
  readonly word: string;
  readonly shape?: "ring" | "bar" | "square";
}

const RECIPIENT_LOOKS: Readonly<Record<RecipientState, Look>> = {
  queued: { tone: "wait", word: "Queued", shape: "ring" },
  held: { tone: "hold", word: "Held", shape: "bar" },
  delivered: { tone: "good", word: "Delivered" },
  failed: { tone: "bad", word: "Failed", shape: "square" },
  expired: { tone: "bad", word: "Expired", shape: "square" },
  cancelled: { tone: "idle", word: "Cancelled", shape: "square" },
};

const WAY_LOOKS: Readonly<Record<WayState, Look>> = {
  up: { tone: "good", word: "Up" },
  down: { tone: "bad", word: "Down", shape: "square" },
  probing: { tone: "warn", word: "Probing", shape: "ring" },
  paused: { tone: "hold", word: "Paused", shape: "bar" },
};

/** The state of a recipient. */
export function RecipientStateMark({ state }: { state: RecipientState }) {
  return <StateMark {...RECIPIENT_LOOKS[state]} />;
}

/** The state of a transport or a destination. */
export function WayStateMark({ state }: { state: WayState }) {
  return <StateMark {...WAY_LOOKS[state]} />;
}

/** A mark and a word. */
export function StateMark({ tone, word, shape }: Look) {
  return <span class="state" data-tone={tone} data-shape={shape}>{word}</span>;
}

/** The word for a state, in a sentence. */
export function stateWord(state: RecipientState): string {
  return RECIPIENT_LOOKS[state].word.toLowerCase();
}

export function toneOf(state: RecipientState): Tone {
  return RECIPIENT_LOOKS[state].tone;
}

/** From the one that needs somebody to the one that needs nobody. */
const URGENCY: readonly RecipientState[] = [
  "held",
  "queued",
  "failed",
  "expired",
  "cancelled",
  "delivered",
];

/** The state that stands for a message whose recipients are in several. */
export function leadingState(
  states: Readonly<Partial<Record<RecipientState, number>>>,
): RecipientState {
  return URGENCY.find((state) => (states[state] ?? 0) > 0) ?? "cancelled";
}
