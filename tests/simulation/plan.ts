import type { RouteRule } from "../../src/delivery/route.ts";
import type { UncertainPolicy } from "../../src/delivery/retry.ts";
import type { ShapingRule } from "../../src/delivery/shaping/rules.ts";
import type { Notify } from "../../src/mail/envelope.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/**
 * All that happens to a relay in one simulated life, made from a seed. It is a plain value: leaving
 * steps out makes a smaller plan in which the others do what they did.
 */
export interface Plan {
  readonly seed: number;
  readonly settings: Settings;
  /** The configurations that a reload may choose from; the relay starts with the first. */
  readonly variants: readonly Variant[];
  readonly steps: readonly Step[];
  /** When the trouble ends and the world heals. */
  readonly endMs: number;
}

/** What no reload changes. */
export interface Settings {
  readonly leaseMs: number;
  readonly window: number;
  readonly perDomain: number;
  readonly bodyBytes: number;
  readonly initialConcurrency: number;
  readonly maxConcurrency: number;
  readonly downMs: number;
  readonly maxDownMs: number;
  readonly retryMs: readonly number[];
  readonly expireMs: number;
  readonly warnAfterMs: number | null;
  readonly uncertain: UncertainPolicy;
  readonly drainMs: number;
  readonly spoolThresholdBytes: number;
  readonly keepsFailed: boolean;
  /** How much the wall clock runs fast, in millionths. */
  readonly driftPpm: number;
  /** Whether transports that speak SMTP do so, over wires in memory. */
  readonly hasWires: boolean;
  readonly domains: readonly string[];
  /** How the exchangers of each domain stand in the DNS. */
  readonly exchangers: readonly typeof EXCHANGERS[number][];
}

export const EXCHANGERS = [
  /** One, with two addresses. */
  "one",
  /** Two, of which the first never answers. */
  "first_dead",
  /** The domain itself, as it has no MX records (RFC 5321 section 5.1). */
  "implicit",
] as const;

/** One configuration. */
export interface Variant {
  readonly transports: readonly TransportPlan[];
  readonly routes: readonly RouteRule[];
  readonly shaping: readonly ShapingRule[];
}

/** One transport, and what its next hops are like in good weather. */
export interface TransportPlan {
  readonly name: string;
  /** `mx` has a destination for each domain; the others have one. */
  readonly kind: "mx" | "smarthost" | "api";
  /** Another number means other settings, so that a reload makes it anew. */
  readonly revision: number;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  /** The largest message it carries; larger ones are unsuitable. */
  readonly limitBytes: number;
  /** The most recipients that its server takes in one transaction; the rest gets 452. */
  readonly serverRecipients: number;
  /** Whether its server answers for each recipient behind the final dot (RFC 2033). */
  readonly isLmtp: boolean;
}

export type Step = { readonly atMs: number } & Happening;

export type Happening =
  | { readonly kind: "mail"; readonly mail: PlannedMail }
  | { readonly kind: "weather"; readonly weather: Weather }
  | { readonly kind: "store"; readonly trouble: StoreTrouble }
  /** The wall clock is set. */
  | { readonly kind: "clock"; readonly byMs: number }
  | { readonly kind: "reload"; readonly variant: number }
  | { readonly kind: "operate"; readonly operation: Operation }
  /** SIGTERM or `kill -9`, and a start after a while. */
  | { readonly kind: "restart"; readonly how: "term" | "kill"; readonly downMs: number }
  /** All troubles end; after the time, all that is due must have been tried. */
  | { readonly kind: "calm"; readonly forMs: number }
  /** Waits, for so long at most, until mail stands where it hurts most, and then does something. */
  | {
    readonly kind: "ambush";
    readonly when: typeof MOMENTS[number];
    readonly forMs: number;
    readonly act: Act;
    /** Whether nobody hears what the store says of the act. */
    readonly losesReply: boolean;
  }
  /** `posthouse queue import`, killed in the middle unless that is null, and then done again. */
  | {
    readonly kind: "import";
    readonly mails: readonly PlannedMail[];
    readonly killAfterMs: number | null;
  }
  /** Another relay starts in the same folder. */
  | { readonly kind: "rival" }
  | { readonly kind: "dns"; readonly change: DnsChange }
  /** The process gets no turn for a while, as a machine that sleeps; its wall clock goes on. */
  | { readonly kind: "suspend"; readonly forMs: number };

export const MOMENTS = [
  /** A message waits in line at a destination. */
  "lined",
  /** An attempt is under way. */
  "trying",
  /** An attempt is under way at a transport that cannot carry the message. */
  "misfit",
] as const;

/** What happens to mail that an ambush found. */
export type Act =
  /** To a variant without the transport, if there is one. */
  | Extract<Happening, { kind: "reload" | "restart" }>
  /** `mail` is replaced by what was found. */
  | Extract<Happening, { kind: "operate" }>;

/** A message that a client hands over. */
export interface PlannedMail {
  /** Names it in its addresses. */
  readonly number: number;
  /** Empty for the null reverse-path. */
  readonly sender: string;
  readonly recipients: readonly { readonly mailbox: string; readonly notify?: readonly Notify[] }[];
  readonly sizeBytes: number;
  /** Whether the client gives up before the end. */
  readonly aborts: boolean;
  readonly holdMs: number;
}

export const SKIES = [
  "down",
  "broken",
  "limit",
  "limit_timed",
  "slow_down",
  "pause",
  "greylist",
  "busy",
  "uncertain",
  "hang",
  "throws",
  "reject",
  "allowance",
  "slow",
] as const;
export type Sky = typeof SKIES[number];

/** What next hops do for a while. */
export interface Weather {
  readonly sky: Sky;
  readonly forMs: number;
  /** Null for all. */
  readonly transport: string | null;
  readonly domain: string | null;
  /** In how many of the attempts. */
  readonly share: number;
}

export const DNS_ANSWERS = [
  /** NXDOMAIN. */
  "nonexistent",
  /** It takes no mail (RFC 7505). */
  "null_mx",
  /** Nobody answers for a while. */
  "timeout",
  /** The exchangers have no address. */
  "no_address",
  /** The exchangers have other addresses. */
  "moved",
] as const;

/** What the DNS says of a domain for a while. */
export interface DnsChange {
  readonly domain: string;
  readonly answer: typeof DNS_ANSWERS[number];
  readonly forMs: number;
}

export const STORE_TROUBLES = [
  "full",
  "unavailable",
  "lost_reply",
  "slow",
  "stuck",
  /** Its worker dies, before or after a commit; the memory store has none. */
  "worker",
] as const;

/** What the store does for a while. */
export interface StoreTrouble {
  readonly what: typeof STORE_TROUBLES[number];
  readonly forMs: number;
  readonly share: number;
}

/** What an operator does. `mail` is the number of a message; null means all mail. */
export type Operation =
  | {
    readonly kind: "hold" | "release" | "cancel" | "bounce" | "retry";
    readonly mail: number | null;
    readonly domain?: string;
  }
  | { readonly kind: "reroute"; readonly mail: number | null; readonly transport: string | null }
  | {
    readonly kind: "readdress";
    readonly mail: number;
    readonly remove: string | null;
    readonly add: string;
  }
  | { readonly kind: "send_again"; readonly mail: number }
  | {
    readonly kind: "pause" | "resume";
    readonly what: "domain" | "transport";
    readonly name: string;
    /** Null until it is resumed. */
    readonly forMs: number | null;
  }
  | { readonly kind: "flush"; readonly domain: string }
  | { readonly kind: "reset"; readonly transport: string }
  | { readonly kind: "suppress"; readonly mailbox: string };
