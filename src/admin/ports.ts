/**
 * What the admin API and the dashboard are built from. The composition root implements these with
 * the parts of a running relay; tests implement them with values. Times are milliseconds since the
 * Unix epoch, sizes are octets. Ports that are optional belong to parts that a relay may lack; the
 * API answers 404 for them and the dashboard leaves their pages out.
 */
import type { RelayEvent } from "../observe/events.ts";
import type {
  MessageDetail,
  MessageFilter,
  MessageListItem,
  MessagePage,
  QueueCommand,
  QueueStore,
  RecipientState,
  StoreStats,
  TimelineEntry,
} from "../queue/store.ts";

export type {
  MessageDetail,
  MessageFilter,
  MessageListItem,
  MessagePage,
  QueueCommand,
  RecipientState,
  RelayEvent,
  StoreStats,
  TimelineEntry,
};

/** Everything the admin app is built from. */
export interface AdminPorts {
  readonly info: InfoPort;
  readonly queue: QueuePort;
  readonly destinations: DestinationsPort;
  readonly transports: TransportsPort;
  readonly routes: RoutesPort;
  readonly config: ConfigPort;
  readonly events: EventsPort;
  readonly activity: ActivityPort;
  readonly metrics: MetricsPort;
  readonly health: HealthPort;
  readonly keys: KeysPort;
  readonly users: UsersPort;
  readonly suppressions?: SuppressionsPort;
  readonly webhooks?: WebhooksPort;
  readonly submission?: SubmissionPort;
  readonly preflight?: PreflightPort;
}

/** What an operator may do: look, act on mail and destinations, or change the relay itself. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = typeof ROLES[number];

/** The relay in a few facts. */
export interface InfoPort {
  /** Changes at a reload are seen at the next call. */
  read(): RelayInfo;
}

export interface RelayInfo {
  readonly version: string;
  /** The relay's own name in SMTP. */
  readonly hostname: string;
  readonly startedAtMs: number;
  /** The config file; null when the defaults hold. */
  readonly configFile: string | null;
  /** `sqlite`, `memory`, `postgres`. */
  readonly store: string;
  readonly listeners: readonly ListenerInfo[];
}

export interface ListenerInfo {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** SMTP sessions open now. */
  readonly sessions: number;
}

/** The queue. Every method throws `StoreError` when the store cannot do it. */
export interface QueuePort extends Pick<QueueStore, "list" | "count" | "get" | "body" | "stats"> {
  /** Applies a command to all that fit, tells the scheduler, and returns how many it changed. */
  command(request: {
    readonly filter: MessageFilter;
    readonly command: QueueCommand;
    /** Who does it, for the timeline. */
    readonly by: string;
  }): Promise<number>;
  /** Puts a message into the queue once more, as a new one. */
  sendAgain(request: SendAgainRequest): Promise<SendAgainResult>;
}

/** What is to be sent once more, and what is changed of it. */
export interface SendAgainRequest {
  readonly id: string;
  readonly by: string;
  /** Absent means those that did not get it. */
  readonly recipients?: readonly string[];
  readonly reversePath?: string;
  /** The name of the route it takes, whatever fits. */
  readonly route?: string;
  /** The octets in place of those that are kept. */
  readonly message?: Uint8Array;
}

export type SendAgainResult =
  | { readonly kind: "queued"; readonly id: string; readonly recipients: number }
  | { readonly kind: "refused"; readonly reason: string };

/** Why something does not move although nothing is wrong with it. */
export interface OperatorPause {
  readonly reason: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Null until somebody resumes it. */
  readonly untilMs: number | null;
}

/** What somebody asks for who pauses something. */
export type PauseRequest = Pick<OperatorPause, "reason" | "by" | "untilMs">;

export const WAY_STATES = ["up", "down", "probing", "paused"] as const;
/** `probing`: it was down, and the next attempt finds out. */
export type WayState = typeof WAY_STATES[number];

/** Where mail goes, as the scheduler sees it now. Only what is in use or in trouble is known. */
export interface DestinationsPort {
  list(): readonly DestinationStatus[];
  /**
   * Mail for a recipient domain waits in the queue, whatever its transport, until the time is
   * over or it is resumed. Survives a restart.
   */
  pause(domain: string, request: PauseRequest): Promise<void>;
  /** Ends a pause and makes what waited due. False when the domain was not paused. */
  resume(domain: string, request: { readonly by: string }): Promise<boolean>;
  /** Domains that are paused, also when nothing waits for them. */
  paused(): ReadonlyMap<string, OperatorPause>;
  /**
   * Forgets that it was down and makes its queued mail due now.
   *
   * @returns how many messages became due.
   */
  flush(domain: string, request: { readonly by: string }): Promise<number>;
}

export interface DestinationStatus {
  readonly transport: string;
  /** A domain for `mx`; the one next hop for transports that have only one. */
  readonly name: string;
  /** Whether `name` is a recipient domain, so that it can be paused and flushed. */
  readonly isDomain: boolean;
  readonly state: WayState;
  /** Attempts allowed at once now. */
  readonly concurrency: number;
  /** The most it may grow to. */
  readonly maxConcurrency: number;
  readonly running: number;
  /** Attempts that wait for their turn in the active window; the queue may hold more. */
  readonly waiting: number;
  /** When it is tried again; null when it is up. */
  readonly retryAtMs: number | null;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
  readonly pause: OperatorPause | null;
}

/** The ways out. */
export interface TransportsPort {
  list(): readonly TransportStatus[];
  /** Mail takes the next transport of its route, or waits. Survives a restart. */
  pause(name: string, request: PauseRequest): Promise<void>;
  /** False when it was not paused. */
  resume(name: string, request: { readonly by: string }): Promise<boolean>;
  /** Forgets that it, and its destinations, were down. */
  reset(name: string, request: { readonly by: string }): Promise<void>;
}

export interface TransportStatus {
  readonly name: string;
  /** `mx`, `smarthost`, `lmtp` or the name of a provider. */
  readonly kind: string;
  readonly state: WayState;
  readonly retryAtMs: number | null;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
  readonly pause: OperatorPause | null;
  readonly running: number;
  readonly waiting: number;
  /** Destinations known, and how many of them are down. */
  readonly destinations: number;
  readonly destinationsDown: number;
  /** Outcomes since the start. */
  readonly outcomes: Readonly<Record<"delivered" | "deferred" | "bounced" | "uncertain", number>>;
  /** Names of the routes that use it. */
  readonly routes: readonly string[];
}

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
  readonly sizeBytes?: number;
  /** Of MT-PRIORITY (RFC 6710). */
  readonly priority?: number;
  /** Values of header fields, by name in lower case. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** Where a message would go, and how. */
export interface RouteTrace {
  /** Null when no route fits: the mail waits with 450 4.4.4. */
  readonly route: string | null;
  readonly mode: "deliver" | "hold" | "capture" | "redirect" | null;
  /** The mailbox that gets the mail in place of its recipient. */
  readonly redirect: string | null;
  /** In the order in which they are tried, weights apart. */
  readonly transports: readonly RouteTraceWay[];
  /** Keys that would sign it. */
  readonly dkim: readonly {
    readonly domain: string;
    readonly selector: string;
    readonly algorithm: string;
  }[];
  readonly steps: RouteAnswer["steps"];
}

/** One way out of a trace. */
export interface RouteTraceWay {
  readonly name: string;
  readonly kind: string;
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
  }[];
  /** What is asked of connections. */
  readonly tls: string;
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

/** The configuration in force. */
export interface ConfigPort {
  /** Keys as in TOML, defaults filled in; what came from elsewhere is shown as its reference. */
  read(): {
    readonly document: Readonly<Record<string, unknown>>;
    readonly toml: string;
    readonly loadedAtMs: number;
  };
  /** Reads the config file again. Absent where the process cannot. */
  reload?(request: { readonly by: string }): Promise<ReloadResult>;
}

export type ReloadResult =
  | { readonly kind: "reloaded" }
  /** Nothing was changed. */
  | { readonly kind: "invalid"; readonly problems: readonly string[] }
  /** A part could not be changed, for example an address that is in use; the rest was. */
  | { readonly kind: "partial"; readonly problem: string };

/** An event with its place in the stream. */
export interface StampedEvent {
  /** Counts up by one; begins anew, elsewhere, when the relay starts. */
  readonly id: number;
  readonly atMs: number;
  readonly event: RelayEvent;
}

/** Some events in their order. */
export interface EventBatch {
  /** How many events before these are lost: no longer kept when the reader came for them. */
  readonly missed: number;
  readonly events: readonly StampedEvent[];
}

/** Events as they happen. The last ones are kept, so that a reader can resume. */
export interface EventsPort {
  /** The id of the newest event; resuming after it gives only what happens from now on. */
  readonly lastId: number;
  /**
   * Events after `afterId`, then those that happen, until `signal` aborts. Nothing is kept for a
   * slow reader; it learns how many it missed.
   */
  subscribe(request: {
    readonly afterId: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<EventBatch>;
  /** Kept events, newest first. */
  recent(request: { readonly limit: number; readonly beforeId?: number }): readonly StampedEvent[];
}

/** What happened in one minute. */
export interface ActivityMinute {
  readonly startMs: number;
  readonly accepted: number;
  readonly acceptedBytes: number;
  readonly refused: number;
  readonly delivered: number;
  readonly deferred: number;
  readonly bounced: number;
}

/** Counts by the minute for charts, kept for a day. */
export interface ActivityPort {
  /** The last `minutes`, oldest first, the one under way last; quiet minutes are zeros. */
  read(request: { readonly minutes: number }): readonly ActivityMinute[];
}

export interface MetricsPort {
  readonly contentType: string;
  render(): Promise<string>;
}

/** One question that decides whether the relay can work. */
export interface HealthCheck {
  /** `store`, `disk`, `listeners`, `scheduler`. */
  readonly name: string;
  readonly ok: boolean;
  /** One sentence for people. */
  readonly detail: string;
}

export interface HealthPort {
  /** Never throws. */
  check(): Promise<readonly HealthCheck[]>;
}

/** What a key is for: one of a person's roles, or to hand in mail and nothing else. */
export const KEY_ROLES = ["sender", ...ROLES] as const;
export type KeyRole = typeof KEY_ROLES[number];

/** A key for programs, sent as `Authorization: Bearer`. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  /** Whether it may hand in mail; senders, operators and admins always may. */
  readonly send: boolean;
  /**
   * Whole mailboxes it may send as, in which `*` stands for any run of characters and an empty one
   * for the null reverse-path; null for all.
   */
  readonly senders: readonly string[] | null;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly expiresAtMs: number | null;
  /** Known since the start only, to the minute. */
  readonly lastUsedAtMs: number | null;
  /** Keys from the configuration cannot be revoked here. */
  readonly source: "file" | "config";
}

/** API keys. Only hashes are kept. */
export interface KeysPort {
  list(): Promise<readonly ApiKey[]>;
  /** The secret is shown this once. */
  create(request: {
    readonly name: string;
    readonly role: KeyRole;
    /** As in `ApiKey`; what the role says where not given. */
    readonly send?: boolean;
    readonly senders?: readonly string[] | null;
    readonly expiresAtMs: number | null;
    readonly by: string;
  }): Promise<{ readonly key: ApiKey; readonly secret: string }>;
  /** False when no such key can be revoked. */
  revoke(id: string): Promise<boolean>;
  /** The key a secret belongs to; null when there is none or its time is over. */
  verify(secret: string): Promise<ApiKey | null>;
}

/** Somebody who signs in to the dashboard. */
export interface AdminUser {
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

/** Users. Only hashes of passwords are kept. */
export interface UsersPort {
  list(): Promise<readonly AdminUser[]>;
  get(name: string): Promise<AdminUser | null>;
  /** Adds a user or replaces password and role; an absent password keeps the former one. */
  put(request: {
    readonly name: string;
    readonly role: Role;
    readonly password?: string;
  }): Promise<"created" | "changed" | "password_needed">;
  remove(name: string): Promise<boolean>;
  /** Takes the same time whether or not the user exists. */
  verify(credentials: { readonly name: string; readonly password: string }): Promise<
    AdminUser | null
  >;
}

/** Recipients that get no mail. */
export interface Suppression {
  readonly address: string;
  readonly reason: string;
  readonly source: string;
  readonly addedAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface SuppressionsPort {
  list(
    request: { readonly text?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly Suppression[]; readonly cursor: string | null }>;
  add(request: {
    readonly address: string;
    readonly reason: string;
    readonly expiresAtMs: number | null;
    readonly by: string;
  }): Promise<void>;
  remove(address: string, request: { readonly by: string }): Promise<boolean>;
}

/** Where events are sent to. */
export interface WebhookStatus {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly waiting: number;
  readonly lastError: { readonly text: string; readonly atMs: number } | null;
  readonly lastSuccessAtMs: number | null;
}

/** One request to a webhook. */
export interface WebhookCall {
  readonly id: string;
  readonly webhook: string;
  readonly atMs: number;
  readonly event: string;
  /** HTTP status; null when nobody answered. */
  readonly status: number | null;
  readonly durationMs: number;
  readonly error: string;
}

export interface WebhooksPort {
  list(): Promise<readonly WebhookStatus[]>;
  log(
    request: { readonly webhook?: string; readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly WebhookCall[]; readonly cursor: string | null }>;
  /** Sends events from a time on again; false when there is no such webhook. */
  replay(name: string, request: { readonly fromMs: number }): Promise<boolean>;
}

/** Puts messages of applications and operators into the queue, by the rules of SMTP clients. */
export interface SubmissionPort {
  /** Octets that a message may have; 0 for no limit. */
  readonly limitBytes: number;
  /** Makes the message durable and returns its queue id. */
  submit(request: SubmitRequest): Promise<SubmitResult>;
}

export interface SubmitRequest {
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly to: readonly string[];
  /** A whole message, RFC 5322. */
  readonly message: Uint8Array | AsyncIterable<Uint8Array>;
  readonly by: string;
  /** As in `ApiKey`; absent means all. */
  readonly senders?: readonly string[] | null;
  /** Address of the sender's computer, for the trace field. */
  readonly clientAddress: string;
  /** When it may leave at the earliest. */
  readonly holdUntilMs?: number;
  /** The request's name: of several with one name only the first puts a message into the queue. */
  readonly key?: string;
  /** What tells the request from another of that name, where the message's octets do not. */
  readonly fingerprint?: string;
}

/** Why a message was not taken; `later`: it may be when it is tried again. */
export type SubmitRefusal =
  | "refused"
  | "too_large"
  | "too_many_recipients"
  | "later"
  | "full"
  | "unavailable"
  | "key_taken"
  | "under_way";

export type SubmitResult =
  /** `repeated`: by an earlier request of the same name. */
  | { readonly kind: "queued"; readonly id: string; readonly repeated: boolean }
  | { readonly kind: "refused"; readonly why: SubmitRefusal; readonly reason: string };

/** Whether the world will accept mail from a domain that this relay sends for. */
export interface PreflightPort {
  /** Domains that the configuration suggests; somebody may ask for any other. */
  readonly domains: readonly string[];
  /** Asks the DNS and tries a connection; takes seconds. Never throws. */
  check(domain: string, options: { readonly signal: AbortSignal }): Promise<PreflightReport>;
}

export interface PreflightReport {
  readonly domain: string;
  readonly checkedAtMs: number;
  readonly checks: readonly PreflightCheck[];
}

export const PREFLIGHT_VERDICTS = ["pass", "warning", "fail", "unknown"] as const;
/** `unknown`: it could not be found out, for example because the DNS does not answer. */
export type PreflightVerdict = typeof PREFLIGHT_VERDICTS[number];

export interface PreflightCheck {
  /** `spf`, `dkim`, `dmarc`, `mta_sts`, `tls_rpt`, `reverse_dns`, `port_25`. */
  readonly name: string;
  readonly title: string;
  readonly verdict: PreflightVerdict;
  /** What was found, in one sentence for people. */
  readonly detail: string;
  /** The records or answers themselves. */
  readonly found: readonly string[];
  /** What to do about it; empty when there is nothing to do. */
  readonly advice: string;
  /** Exactly what to add to the DNS. */
  readonly records: readonly DnsRecordAdvice[];
}

export interface DnsRecordAdvice {
  /** The whole name, without the final dot. */
  readonly name: string;
  readonly type: "TXT" | "PTR" | "A" | "CNAME";
  readonly value: string;
}
