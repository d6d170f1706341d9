import type { TimelineEntry } from "../../../ports.ts";

/** One kind of outcome of an attempt and whom it befell. */
export interface OutcomeView {
  /** As the transport said: `delivered`, `temporary`, `permanent`, `broken`, `uncertain` … */
  readonly kind: string;
  readonly reply: string;
  /** The rule that said what the reply means; empty where none did. */
  readonly rule: string;
  readonly recipients: readonly number[];
}

/** An attempt as the timeline tells it; empty texts for what it does not tell. */
export interface AttemptView {
  readonly atMs: number;
  readonly route: string;
  readonly transport: string;
  readonly destination: string;
  readonly remote: string;
  readonly tls: string;
  /** How the next hop was found to be the right one: `chain`, `dane` and so on. */
  readonly proof: string;
  /** The proxy on the way. */
  readonly proxy: string;
  /** What the message lost on its way, each in a few words. */
  readonly losses: readonly string[];
  /** Null where it was not measured. */
  readonly durationMs: number | null;
  readonly outcomes: readonly OutcomeView[];
  /** What was said, a line each, where it was recorded. */
  readonly dialogue: readonly string[];
}

/** Reads an attempt from the timeline, whose details any version may have written. */
export function attemptOf({ kind, atMs, detail, recipients }: TimelineEntry): AttemptView | null {
  if (kind !== "attempt") return null;
  const { durationMs, outcomes, dialogue, losses } = detail;
  return {
    atMs,
    route: textOf(detail["route"]),
    transport: textOf(detail["transport"]),
    destination: textOf(detail["destination"]),
    remote: textOf(detail["remote"]),
    tls: textOf(detail["tls"]),
    proof: textOf(detail["proof"]),
    proxy: textOf(detail["proxy"]),
    losses: Array.isArray(losses) ? losses.map((loss) => textOf(loss?.what)) : [],
    durationMs: typeof durationMs === "number" ? durationMs : null,
    outcomes: Array.isArray(outcomes)
      ? outcomes.map((outcome) => outcomeOf(outcome, recipients))
      : [],
    dialogue: Array.isArray(dialogue) ? dialogue.map(textOf) : [],
  };
}

function outcomeOf(value: unknown, all: readonly number[]): OutcomeView {
  const { kind, reply, rule, recipients } = typeof value === "object" && value !== null
    ? value as Readonly<Record<string, unknown>>
    : {};
  return {
    kind: textOf(kind),
    reply: textOf(reply),
    rule: textOf(rule),
    recipients: Array.isArray(recipients)
      ? recipients.filter((index) => typeof index === "number")
      : all,
  };
}

/** A text, or nothing where something else stands. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
