import type { Clock } from "../../base/clock.ts";
import type { Deadlines } from "../../base/deadlines.ts";
import type { Random } from "../../base/random.ts";
import type { DialOptions, DialResult, DialTarget } from "../../net/dial.ts";
import type { Resolver } from "../../net/resolver.ts";
import type { MessageRecord } from "../../queue/store.ts";
import type { StageTimeouts } from "../../smtp/client/stage.ts";
import type { SaslExchange } from "../../smtp/client/sasl.ts";
import type { ClientProtocol } from "../../smtp/client/transaction.ts";
import type { TlsOutcomeSink } from "../tls/outcome.ts";
import type { MtaSts } from "../tls/sts.ts";
import type { TlsRules } from "../tls/rules.ts";
import type { AddressOrder } from "./address_order.ts";
import type { TransportProxy } from "./dialer.ts";
import type { PoolLimits } from "./pool.ts";

/** How to connect: `net/dial.ts` or a stand-in. */
export type Dial = (target: DialTarget, options: DialOptions) => Promise<DialResult>;

/** The lookups that routing needs. */
export type MailResolver = Pick<
  Resolver,
  "mx" | "addresses" | "tlsa" | "txt" | "srv" | "cname"
>;

/**
 * Signs a message in the form in which it leaves, where that is not the form it was signed in:
 * `octets` are those behind the fields that signed it first. Returns the fields that take their
 * place, empty for none.
 */
export type Resigner = (
  message: MessageRecord,
  octets: AsyncIterable<Uint8Array>,
) => Promise<string>;

/** What the transports of a relay share. */
export interface SmtpServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly dial: Dial;
  readonly resolver: MailResolver;
  /** Finds the MTA-STS policies of domains; without it, there are none. */
  readonly sts?: Pick<MtaSts, "find">;
  /** Hears what connections to exchangers came to, for reports to their domains. */
  readonly onTlsOutcome?: TlsOutcomeSink;
  /** Without it, a message that is converted loses the signatures that this relay made. */
  readonly resign?: Resigner;
  /** Is notified of defects met while a session is closed in the background. */
  readonly onError: (error: unknown) => void;
}

/** Who this relay is to the servers of a transport. */
export interface Login {
  /** Chooses among the mechanisms that a server offers, in upper case. */
  begin(offered: readonly string[]): LoginStart | Promise<LoginStart>;
  /** The server refused what `begin` made last. */
  refused(): void;
  /** Whether it may be used where the connection is not secured. */
  readonly allowPlain: boolean;
}

/** How a login begins. */
export type LoginStart =
  | { readonly kind: "exchange"; readonly exchange: SaslExchange }
  /** It cannot; `reason` goes on "Cannot log in to mx.example.org: ". */
  | { readonly kind: "unusable"; readonly reason: string };

/** What the transports that speak SMTP have in common. */
export interface SmtpTransportOptions {
  readonly name: string;
  readonly services: SmtpServices;
  /** What this relay calls itself: a domain, or an address literal (RFC 5321 4.1.1.1). */
  readonly heloName: string;
  /** Names of this relay: a server that introduces itself by one of them is this relay. */
  readonly ownNames?: readonly string[];
  /** Default `smtp`. */
  readonly protocol?: ClientProtocol;
  /** Extensions that are not used even where they are offered, in upper case. */
  readonly ignoredExtensions?: ReadonlySet<string>;
  readonly timeoutsMs?: Partial<StageTimeouts>;
  /** Default 30 seconds. */
  readonly connectTimeoutMs?: number;
  /** How long an aborted attempt still waits for the reply to its final dot; default 5 seconds. */
  readonly abortGraceMs?: number;
  /**
   * Addresses of this machine to connect from, at most one of each kind; addresses of a kind that
   * is not among them are not connected to.
   */
  readonly localAddresses?: readonly string[];
  /** Without it, connections are direct. */
  readonly proxy?: TransportProxy;
  /** Default `ipv4_first`. */
  readonly addressOrder?: AddressOrder;
  /** The most addresses one attempt connects to; default 5. */
  readonly maxAddresses?: number;
  /** How long an address that could not be connected to is left alone; default 15 seconds. */
  readonly failureMemoryMs?: number;
  /**
   * Whether octets above 127 are converted for servers that do not offer 8BITMIME; default true.
   * They are sent as they are otherwise.
   */
  readonly converts?: boolean;
  /** Default: TLS wherever it is offered. */
  readonly tls?: TlsRules;
  /** Logs in to every server; without it, nowhere. */
  readonly login?: Login;
  /** How connections are reused. */
  readonly reuse?: Partial<PoolLimits>;
  /** Default 20. */
  readonly maxConcurrency?: number;
  /** Default 100, which every server takes (RFC 5321 4.5.3.1.8). */
  readonly maxRecipients?: number;
}

export const DEFAULT_MAX_CONCURRENCY = 20;
export const DEFAULT_MAX_RECIPIENTS = 100;
