/** How mail finds its way. */
import type { WayState } from "./ways.ts";

/** How mail finds its way. */
export interface RoutesPort {
  /** In order; the first that fits wins. */
  list(): readonly RouteInfo[];
  explain(question: RouteQuestion): RouteAnswer;
  /** The same with what the DNS says and all that holds on the way. Sends nothing. */
  trace(question: RouteQuestion): Promise<RouteTrace>;
}

export interface RouteInfo {
  readonly name: string;
  /** The patterns of each key, alternatives; all keys must fit; no key fits everything. */
  readonly match: Readonly<Record<string, readonly string[]>>;
  readonly transports: readonly string[];
}

export interface RouteQuestion {
  /** Mailbox of the recipient. */
  readonly to: string;
  /** Reverse-path; empty for the null one. */
  readonly from: string;
  /** Absent means the first listener. */
  readonly listener?: string;
  readonly user?: string;
  /** IP address of the client; absent means this machine. */
  readonly client?: string;
  readonly sizeBytes?: number;
  /** Of MT-PRIORITY (RFC 6710). */
  readonly priority?: number;
  /** Values of header fields, by name in lower case. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** Where a message would go, and how. */
export interface RouteTrace {
  /** Every check before the content, in order, as the listener would ask it. */
  readonly checks: readonly {
    readonly stage: "connect" | "ehlo" | "mail" | "rcpt";
    readonly check: string;
    readonly about: string;
    readonly verdict: "passes" | "accepts" | "refuses" | "skipped";
    /** The reply of a refusal; empty for others. */
    readonly reply: string;
    /** What the log says beside the reply; empty where there is no more. */
    readonly cause: string;
  }[];
  /** Null when no route fits: the mail waits with 450 4.4.4. */
  readonly route: string | null;
  readonly mode: "deliver" | "hold" | "capture" | "redirect" | null;
  /** The mailbox that gets the mail in place of its recipient. */
  readonly redirect: string | null;
  /** Whether a message rather takes the next transport than lose something. */
  readonly rawOnly: boolean;
  /** In the order in which they are tried, weights apart. */
  readonly transports: readonly RouteTraceWay[];
  /** Keys that would sign it. */
  readonly dkim: readonly {
    readonly domain: string;
    readonly selector: string;
    readonly algorithm: string;
  }[];
  /** Who gets its mail in its place where it is an alias; empty where it is none. */
  readonly aliasOf: readonly string[];
  /** Why the recipient gets no mail; null when it does, or where no relay runs. */
  readonly suppressed: { readonly reason: string; readonly source: string } | null;
  readonly bounce: RouteTraceBounce;
  readonly steps: RouteAnswer["steps"];
}

/** Who is notified of a failure, and how that travels. */
export interface RouteTraceBounce {
  /** The sender, the operator for mail without one; null when no notification is sent. */
  readonly to: string | null;
  readonly route: string | null;
  readonly mode: RouteTrace["mode"];
  readonly transports: readonly string[];
}

/** One way out of a trace. */
export interface RouteTraceWay {
  readonly name: string;
  readonly kind: string;
  /** The form in which it sends messages, where its kind has several (webhooks); else null. */
  readonly format: string | null;
  readonly destination: string;
  /** `unknown` where no relay runs. */
  readonly state: WayState | "unknown";
  readonly reason: string;
  /** How often it comes first among the others; null where the order is fixed. */
  readonly weight: number | null;
  /** In order; none for an API. */
  readonly hosts: readonly {
    readonly host: string;
    readonly port: number;
    readonly preference: number | null;
    readonly addresses: readonly string[];
    /** Why it cannot be used; empty when it can. */
    readonly problem: string;
    readonly tlsa: number | null;
    /** What connections to it must come to, in words; empty where that is not known. */
    readonly tls: string;
  }[];
  /** What is asked of connections. */
  readonly tls: string;
  /** The reverse-path it leaves from, `b-…` for one that names message and recipient. */
  readonly returnPath: string;
  /** The proxy that connections go through, such as `socks5://proxy.example.net:1080`. */
  readonly proxy: string | null;
  /** Addresses of this machine that they come from; empty where the system chooses. */
  readonly sourceAddresses: readonly string[];
  readonly limits: readonly { readonly rule: string; readonly limit: string }[];
}

export interface RouteAnswer {
  /** Null when no route fits: the mail waits with 450 4.4.4. */
  readonly route: string | null;
  /** In the order in which they are tried. */
  readonly transports: readonly {
    readonly name: string;
    readonly kind: string;
    readonly destination: string;
    readonly state: WayState;
    readonly reason: string;
  }[];
  /** Every rule that was looked at, in order, and why it did or did not fit. */
  readonly steps: readonly {
    readonly route: string;
    readonly fits: boolean;
    readonly reason: string;
  }[];
}
