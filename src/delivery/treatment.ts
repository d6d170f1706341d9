import { parseMailbox } from "../mail/address.ts";
import { textPatterns } from "./patterns.ts";
import type { Redirect } from "./redirect.ts";

/** What becomes of mail whose way out is known. */
export const MODES = [
  /** It is sent. */
  "deliver",
  /** It waits for an operator to release it. */
  "hold",
  /** It is kept to be looked at and sent nowhere. */
  "capture",
  /** It is sent to one other mailbox. */
  "redirect",
] as const;
export type Mode = typeof MODES[number];

/** What becomes of the mail of a route, or of the whole relay. */
export interface Treatment {
  readonly mode: Mode;
  /** Whole mailboxes that get their mail regardless of the mode; `*` stands for any text. */
  readonly allow?: readonly string[];
  /** The mailbox that gets all mail; for the mode `redirect`. */
  readonly redirect?: string;
}

/** What becomes of one recipient's mail. */
export type Fate =
  | { readonly kind: "deliver" }
  | { readonly kind: "hold" | "capture" }
  | { readonly kind: "redirect"; readonly to: Redirect };

/** The fate of a recipient by its mailbox. */
export type Judge = (forwardPath: string) => Fate;

const DELIVER: Fate = { kind: "deliver" };

/**
 * Compiles a treatment; null when it delivers everything.
 *
 * @throws RangeError when `redirect` is no mailbox.
 */
export function compileTreatment(treatment: Treatment | undefined): Judge | null {
  if (treatment === undefined || treatment.mode === "deliver") return null;
  const fate = fateOf(treatment);
  const { allow = [] } = treatment;
  if (allow.length === 0) return () => fate;
  const isAllowed = textPatterns(allow);
  return (forwardPath) => isAllowed(forwardPath) ? DELIVER : fate;
}

/** Whether mail comes to rest by this treatment, also where no transport works. */
export function keepsMail(treatment: Treatment | undefined): boolean {
  return treatment?.mode === "hold" || treatment?.mode === "capture";
}

/** The first of two judgements that does not deliver, the relay's before the route's. */
export function stricter(relay: Judge | null, route: Judge | null): Judge | null {
  if (relay === null || route === null) return relay ?? route;
  return (forwardPath) => {
    const fate = relay(forwardPath);
    return fate.kind === "deliver" ? route(forwardPath) : fate;
  };
}

function fateOf({ mode, redirect = "" }: Treatment): Fate {
  if (mode !== "redirect") return { kind: mode };
  const parsed = parseMailbox(redirect);
  if (parsed.kind === "ok") {
    return { kind: "redirect", to: { mailbox: redirect, domain: parsed.mailbox.domain } };
  }
  throw new RangeError(`Cannot redirect to <${redirect}>: ${parsed.reason}`);
}
