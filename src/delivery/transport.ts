import type { Reply } from "../mail/reply.ts";
import type { TlsInfo } from "../net/conn.ts";
import type { TlsProof } from "./tls/policy.ts";
import type { BodyOptions, MessageRecord, RecipientRecord } from "../queue/store.ts";

/** The octets of a message, for one attempt. */
export interface MessageBody {
  /** Size in octets. */
  readonly sizeBytes: number;
  /** All of it, when it is in memory; null when it must be streamed. */
  readonly bytes: Uint8Array | null;
  /** The octets in order. May be called as often as they are needed, all or from one of them on. */
  stream(options?: BodyOptions): AsyncIterable<Uint8Array>;
}

/** One attempt to move one message to recipients that share a destination. */
export interface DeliveryJob {
  readonly message: MessageRecord;
  /** At least one. */
  readonly recipients: readonly RecipientRecord[];
  /** The recipient domain they share, or, where the transport does not care, that of the first. */
  readonly domain: string;
  readonly body: MessageBody;
  /** Set when its recipient is a mailbox that gets the mail of others. */
  readonly redirected?: true;
}

/**
 * The result of one recipient in one attempt. The error of a typed failure is never derived
 * from text: `reply` is what the peer said, `reason` what happened when it said nothing.
 */
export type Outcome =
  | {
    readonly kind: "delivered";
    readonly reply: Reply;
    /**
     * What the next hop calls the message from now on, such as `ses:0100018f…`: the kind of the
     * transport and the name that later reports of the next hop will have.
     */
    readonly remoteId?: string;
  }
  /** Try again later: the peer said so (4xx) or the message cannot go now. */
  | {
    readonly kind: "temporary";
    readonly reply: Reply;
    /** How long the peer asked to wait. */
    readonly retryAfterMs?: number;
    /**
     * False when a limit and not the message prevented it: the attempt does not count, and the next
     * transport of the route is tried.
     */
    readonly counts?: false;
    /** Set when the destination asked for less at a time. */
    readonly slowsDown?: true;
    /** Set when the destination wants nothing for so long. */
    readonly pausesMs?: number;
  } & Said
  /** Never try again for this recipient. */
  | {
    readonly kind: "permanent";
    readonly reply: Reply;
    /** Set when nobody was asked, because the recipient is to get no mail. */
    readonly suppressed?: true;
    /** Set when the recipient is to get no more mail. */
    readonly suppresses?: true;
  } & Said
  /**
   * The transport does not work, regardless of the message: nobody answers, the key is wrong, the
   * account is suspended. The next transport of the route is tried; nothing ever bounces for it.
   */
  | {
    readonly kind: "broken";
    /**
     * `destination`: this destination cannot be reached this way; `transport`: nothing can;
     * `message`: the hosts that answer cannot carry this message, and others might if they did.
     */
    readonly scope: "destination" | "transport" | "message";
    /** A reply-shaped summary with a 4xx code. */
    readonly reply: Reply;
    readonly retryAfterMs?: number;
  }
  /**
   * This transport can not carry this message (its size, its form); another might. The next
   * transport of the route is tried; when it suits none of them, it is permanent with `reply`.
   */
  | { readonly kind: "unsuitable"; readonly reply: Reply }
  /**
   * The connection died after the final dot (or the request body) and before the answer: the
   * message may have been taken.
   */
  | { readonly kind: "uncertain"; readonly reply: Reply };

/** Where a refusal comes from. */
export interface Said {
  /** Set when `reply` is what the peer said, word for word, so that a table may say what it means. */
  readonly fromPeer?: true;
  /** The rule of that table that applied. */
  readonly rule?: string;
}

/** An outcome for which neither the message nor its recipients are to blame. */
export type Setback = Extract<Outcome, { kind: "temporary" | "broken" }>;

/** The next hop that an attempt talked to. */
export interface RemoteHop {
  /** Name of the host as routed to; the address where it has no name. */
  readonly host: string;
  /**
   * IP address without brackets, or the path of a Unix socket; the name again where a proxy looks
   * it up, and empty where nobody tells.
   */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** The proxy on the way, such as `socks5://proxy.example.net:1080`; absent without one. */
  readonly via?: string;
}

/** What a conversion can cost a message. */
export const LOSS_KINDS = [
  /** A signature or encryption over the octets: DKIM, S/MIME, OpenPGP. */
  "signature",
  /** Parts nested in a way that the other form cannot say. */
  "structure",
  /** An alternative that is neither plain text nor HTML, such as an invitation. */
  "alternative",
  /** Text whose charset could not be decoded without doubt. */
  "charset",
  /** Header fields that the other form refuses or cannot repeat. */
  "fields",
  /** Who the message says it went to, where that is not who it goes to. */
  "recipient_fields",
] as const;
export type LossKind = typeof LOSS_KINDS[number];

/** Something that a message loses on its way through a transport that cannot take it as it is. */
export interface Loss {
  readonly kind: LossKind;
  /** What it concerns, for people: a media type, the name of a field. */
  readonly what: string;
}

/** What the peer said it would still take. */
export interface RateAllowance {
  /** Requests left until the limit is counted anew. */
  readonly remaining: number;
  readonly resetAfterMs: number;
}

/** What was said in an attempt. */
export interface Dialogue {
  /** Line by line, without octets of messages and without secrets. */
  lines(): readonly string[];
}

/** What an attempt came to. */
export interface DeliveryReport {
  /** One for each recipient of the job, in its order. */
  readonly outcomes: readonly Outcome[];
  /** Null when no peer was reached. */
  readonly remote: RemoteHop | null;
  readonly tls: TlsInfo | null;
  /** How the peer was found to be the right one; absent where it did not have to be. */
  readonly proof?: TlsProof;
  /**
   * Who tells the sender of a success, should it have asked (RFC 3461 5.2): `dsn` the next hop, to
   * which the parameters were passed; `final` this relay, because the mailbox has the message now.
   * Absent means this relay, which can only say that it passed the message on.
   */
  readonly handover?: "dsn" | "final";
  /** What was, or would have been, lost; absent where the octets go out as they are. */
  readonly losses?: readonly Loss[];
  /** Absent when the peer said nothing of it. */
  readonly rate?: RateAllowance;
  readonly dialogue?: Dialogue;
  /** What this program failed with after some recipients had their outcomes; absent when it did not. */
  readonly fault?: unknown;
}

/** How an attempt is to be made. */
export interface DeliverOptions {
  readonly signal: AbortSignal;
  /** Rather not at all than with a loss: a message that would lose something is `unsuitable`. */
  readonly rawOnly?: boolean;
  /**
   * Whether the connection may wait for the next message, asked at the end of the attempt; absent
   * means that it may. Only where connections are limited.
   */
  readonly keepsConnection?: () => boolean;
}

/** A way out. It makes one attempt and reports; it never waits to try again. */
export interface Transport extends AsyncDisposable {
  readonly name: string;
  /** `mx`, `smarthost`, `lmtp` or the name of a provider. */
  readonly kind: string;
  /**
   * The destination that recipients of `domain` share under this transport: connections,
   * concurrency and failures are counted by it.
   */
  destinationOf(domain: string): string;
  /** The one destination of every domain, for transports that have only one. */
  readonly sharedDestination?: string;
  /**
   * The most messages worth attempting at once to one destination, as a ceiling for the
   * scheduler, which starts lower and grows.
   */
  readonly maxConcurrency: number;
  /** The most recipients of one message in one attempt. */
  readonly maxRecipients: number;
  /** The same for some messages, where they are sent to fewer at once; never more. */
  maxRecipientsOf?(message: MessageRecord): number;
  /**
   * Makes one attempt. Resolves with a report in every case that mail can meet; throws only for
   * a bug. When `signal` aborts it gives up as soon as it can tell what became of the message.
   */
  deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport>;
}
