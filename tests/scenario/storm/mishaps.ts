/** What goes wrong at a destination, and how often. */
import type { Random } from "../../../src/base/random.ts";

/** A point in a session at which something can go wrong. */
export type Stage = "greeting" | "hello" | "starttls" | "mail" | "rcpt" | "data" | "dot";

/** What a destination does in place of a plain answer. */
export type Mishap =
  | { readonly kind: "refuse"; readonly reply: string }
  /** Nothing is said, and the connection ends. */
  | { readonly kind: "close" }
  /** Nothing is said until the client leaves. */
  | { readonly kind: "stall" }
  /** Octets that are no reply. */
  | { readonly kind: "garbage" }
  /** The usual answer, octet by octet. */
  | { readonly kind: "drip" }
  /** The usual answer up to its middle, and the connection ends. */
  | { readonly kind: "half" }
  /** The usual answer, and the connection ends. */
  | { readonly kind: "leave" };

/** How bad a destination is. */
export interface Climate {
  /** Share of answers that go wrong. */
  readonly mishaps: number;
  /** Share of connections that are cut after a random number of octets. */
  readonly cuts: number;
  /** Whether nothing is refused for good or slowed down, so that mail arrives in the end. */
  readonly passing: boolean;
}

const REFUSALS: Readonly<Record<Stage, readonly string[]>> = {
  greeting: [
    "421 4.3.2 Closing for a moment",
    "450 4.7.1 Come back later",
    "554 5.7.1 No service for you",
  ],
  hello: ["421 4.3.2 Shutting down", "451 4.3.0 Not now", "502 5.5.1 What?", "550 5.7.1 Go away"],
  starttls: ["454 4.7.0 TLS not available", "421 4.3.0 Bye", "501 5.5.4 No"],
  mail: [
    "421 4.3.0 Bye",
    "451 4.7.1 Greylisted, try again in 1 seconds",
    "452 4.3.1 No space",
    "550 5.7.1 Not from you",
    "553 5.1.8 No such sender",
  ],
  rcpt: [
    "421 4.2.1 Bye",
    "450 4.2.1 Mailbox busy",
    "452 4.5.3 Too many recipients",
    "550 5.1.1 No such user",
    "551 5.1.6 Moved",
    "552 5.2.2 Mailbox full",
  ],
  data: ["421 4.3.0 Bye", "451 4.3.0 Not now", "554 5.5.0 No"],
  dot: [
    "421 4.3.0 Bye",
    "450-4.2.1 Not\r\n450 4.2.1 now",
    "451 4.3.0 Cannot store",
    "452 4.3.1 Full",
    "550 5.7.1 Looks like spam",
    "554 5.6.0 Bad content",
  ],
};

/** What makes the relay slow down, which lasts long beside a storm. */
const THROTTLING = [
  "421 4.7.0 Too many connections from your address",
  "450 4.7.1 Rate limit reached, slow down",
  "451 4.7.1 Throttled",
];
const THROTTLING_SHARE = 0.01;

/** How often each kind comes, beside the others. */
const SHARES: readonly (readonly [kind: Mishap["kind"], share: number])[] = [
  ["refuse", 12],
  ["close", 3],
  ["stall", 1],
  ["garbage", 1],
  ["drip", 2],
  ["half", 2],
  ["leave", 2],
];
const ALL_SHARES = SHARES.reduce((sum, [, share]) => sum + share, 0);

/** What goes wrong at a stage; null for nothing. */
export function mishapAt(
  stage: Stage,
  { climate, random }: { climate: Climate; random: Random },
): Mishap | null {
  if (random.float() >= climate.mishaps) return null;
  let point = random.float() * ALL_SHARES;
  const kind = SHARES.find(([, share]) => (point -= share) < 0)?.[0] ?? "refuse";
  if (kind !== "refuse") return { kind };
  if (!climate.passing && random.float() < THROTTLING_SHARE) {
    return { kind, reply: pick(THROTTLING, random) };
  }
  const replies = REFUSALS[stage].filter((reply) =>
    !climate.passing || reply.startsWith("4") && !reply.startsWith("421")
  );
  return { kind, reply: pick(replies, random) };
}

/** After how many octets from the client a connection is cut; Infinity for never. */
export function cutAfterBytes({ climate, random }: { climate: Climate; random: Random }): number {
  return random.float() < climate.cuts ? Math.floor(random.float() * 4000) : Infinity;
}

/** One of several. */
export function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random.float() * items.length)];
  if (item === undefined) throw new Error("Cannot pick: there is nothing to pick from");
  return item;
}
