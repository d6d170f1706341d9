import type { Clock } from "../../base/clock.ts";
import type { Deadlines } from "../../base/deadlines.ts";
import type { Random } from "../../base/random.ts";
import type { DialOptions, DialResult, DialTarget } from "../../net/dial.ts";
import type { Resolver } from "../../net/resolver.ts";
import type { StageTimeouts } from "../../smtp/client/stage.ts";
import type { AddressOrder } from "./address_order.ts";
import type { PoolLimits } from "./pool.ts";

/** How to connect: `net/dial.ts` or a stand-in. */
export type Dial = (target: DialTarget, options: DialOptions) => Promise<DialResult>;

/** The lookups that routing needs. */
export type MailResolver = Pick<Resolver, "mx" | "addresses">;

/** What the transports of a relay share. */
export interface SmtpServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly dial: Dial;
  readonly resolver: MailResolver;
  /** Hears of defects met while a session is closed in the background. */
  readonly onError: (error: unknown) => void;
}

/** What the transports that speak SMTP have in common. */
export interface SmtpTransportOptions {
  readonly name: string;
  readonly services: SmtpServices;
  /** What this relay calls itself: a domain, or an address literal (RFC 5321 4.1.1.1). */
  readonly heloName: string;
  readonly timeoutsMs?: Partial<StageTimeouts>;
  /** Default 30 seconds. */
  readonly connectTimeoutMs?: number;
  /** How long an aborted attempt still waits for the reply to its final dot; default 5 seconds. */
  readonly abortGraceMs?: number;
  /** Address of this machine to connect from. */
  readonly localAddress?: string;
  /** Default `ipv4_first`. */
  readonly addressOrder?: AddressOrder;
  /** The most addresses one attempt connects to; default 5. */
  readonly maxAddresses?: number;
  /** How long an address that could not be connected to is left alone; default 15 seconds. */
  readonly failureMemoryMs?: number;
  /** How connections are reused. */
  readonly reuse?: Partial<PoolLimits>;
  /** Default 20. */
  readonly maxConcurrency?: number;
  /** Default 100, which every server takes (RFC 5321 4.5.3.1.8). */
  readonly maxRecipients?: number;
}

export const DEFAULT_MAX_CONCURRENCY = 20;
export const DEFAULT_MAX_RECIPIENTS = 100;
