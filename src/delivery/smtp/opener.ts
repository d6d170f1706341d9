import type { Conn, TlsInfo } from "../../net/conn.ts";
import { SmtpClient } from "../../smtp/client/client.ts";
import type { Transcript } from "../../smtp/client/transcript.ts";
import { DEFAULT_TIMEOUTS } from "../../smtp/client/stage.ts";
import { judgeTls, type TlsFailureType } from "../tls/judge.ts";
import type { TlsExpectation } from "../tls/outcome.ts";
import type { TlsPolicy, TlsProof, TlsSettings } from "../tls/policy.ts";
import type { Outcome, RemoteHop } from "../transport.ts";
import { Dialer } from "./dialer.ts";
import { FailureMemory } from "./failure_memory.ts";
import type { HostTarget } from "./hosts.ts";
import { logIn } from "./log_in.ts";
import type { SmtpTransportOptions } from "./options.ts";
import {
  broken,
  formatHop,
  judgeDial,
  judgeOpening,
  judgeTlsProblem,
  loopsBack,
} from "./outcome.ts";
import type { Session } from "./pool.ts";
import { type Secured, secureFirst, type SecureOptions, secureSession } from "./secure.ts";

/** What opening a session came to. */
export type SessionResult =
  | { readonly kind: "session"; readonly session: Session }
  | {
    readonly kind: "failed";
    readonly outcome: Outcome;
    /** How far it came; `not_tried` when a failure not long ago speaks against the address. */
    readonly progress: "not_tried" | "not_connected" | "connected";
    readonly tls: TlsInfo | null;
    readonly hop: RemoteHop;
  };

type Failed = Extract<SessionResult, { kind: "failed" }>;

/** One address of a host, and how to speak with it. */
interface Approach {
  readonly hop: RemoteHop;
  readonly policy: TlsPolicy;
  /** As in `HostTarget`. */
  readonly expectation: TlsExpectation | null;
  readonly signal: AbortSignal;
  readonly transcript: Transcript;
}

/** What failures are remembered by. */
interface Places {
  /** Nobody can connect, whatever is asked of the connection. */
  readonly address: string;
  /** Sessions under one policy. */
  readonly session: string;
}

/** An open session, before it is known whether it will do. */
interface Opened {
  readonly kind: "opened";
  readonly client: SmtpClient;
  readonly proof: TlsProof | null;
}

/**
 * Opens sessions with next hops: connects, waits for the greeting, introduces this relay, secures
 * the connection as its policy asks, and logs in.
 */
export class SessionOpener {
  readonly #options: SmtpTransportOptions;
  readonly #settings: TlsSettings;
  readonly #failures: FailureMemory;
  readonly #dialer: Dialer;
  /** In lower case. */
  readonly #ownNames: ReadonlySet<string>;

  constructor(options: SmtpTransportOptions) {
    this.#options = options;
    this.#settings = options.tls?.settings ?? {};
    this.#dialer = new Dialer(options);
    this.#ownNames = new Set(options.ownNames?.map((name) => name.toLowerCase()));
    const { failureMemoryMs, services: { clock } } = options;
    this.#failures = new FailureMemory({
      clock,
      ...(failureMemoryMs === undefined ? {} : { forgetAfterMs: failureMemoryMs }),
    });
  }

  /** Opens a session with one address of a host. */
  async open(
    { host, port, key, policy, expectation }: HostTarget,
    { address, signal, transcript }: Pick<Approach, "signal" | "transcript"> & {
      readonly address: string;
    },
  ): Promise<SessionResult> {
    const places: Places = { address: `${address} ${port}`, session: `${address} ${key}` };
    const known = this.#failures.recall(places.address) ?? this.#failures.recall(places.session);
    const { via } = this.#dialer;
    const hop = { host, address, port, ...(via === null ? {} : { via }) };
    if (known !== null) {
      transcript.note(`Not tried, it failed a moment ago: ${known.lines.join(" ")}`);
      return failed(broken(known), { progress: "not_tried", hop });
    }
    const result = await this.#establish({ hop, policy, expectation, signal, transcript });
    this.#learn(places, result);
    if (result.kind === "failed") return result;
    const { client, proof } = result;
    const openedAtMs = this.#options.services.clock.monotonic();
    const { login, protocol = "smtp" } = this.#options;
    const { capabilities } = client;
    const peer = { capabilities, protocol, loggedIn: login !== undefined };
    return { kind: "session", session: { client, hop, key, proof, peer, openedAtMs } };
  }

  #learn({ address, session }: Places, result: Opened | Failed): void {
    const trouble = result.kind === "failed" && result.outcome.kind === "broken"
      ? result.outcome.reply
      : null;
    if (trouble !== null && result.kind === "failed" && result.progress === "not_connected") {
      return this.#failures.failed(address, trouble);
    }
    this.#failures.succeeded(address);
    if (trouble === null) this.#failures.succeeded(session);
    else this.#failures.failed(session, trouble);
  }

  async #establish(approach: Approach): Promise<Opened | Failed> {
    const { hop, transcript } = approach;
    const dialed = await this.#dialer.dial(hop, approach);
    if (dialed.kind !== "connected") {
      const outcome = judgeDial(dialed, hop);
      transcript.note(outcome.reply.lines.join(" "));
      return failed(outcome, { progress: "not_connected", hop });
    }
    transcript.note(`Connected to ${formatHop(hop)}`);
    if (this.#settings.implicit === true) return await this.#openInside(dialed.conn, approach);
    return await this.#openSession(dialed.conn, { ...approach, proof: null });
  }

  /** TLS comes before SMTP. */
  async #openInside(conn: Conn, approach: Approach): Promise<Opened | Failed> {
    const { hop, signal } = approach;
    const { timeoutsMs } = this.#options;
    const timeoutMs = timeoutsMs?.starttls ?? DEFAULT_TIMEOUTS.starttls;
    const close = (): void => conn.close();
    signal.addEventListener("abort", close, { once: true });
    const secured = await secureFirst(conn, { ...this.#secureOptions(approach), timeoutMs });
    signal.removeEventListener("abort", close);
    if (secured.kind === "problem") {
      this.#report(approach, { secured, conn, tls: secured.tls });
      const outcome = judgeTlsProblem(secured.problem, hop);
      approach.transcript.note(outcome.reply.lines.join(" "));
      return afterConnecting(outcome, { hop, tls: secured.tls });
    }
    approach.transcript.note(`TLS: ${secured.conn.tls?.version} ${secured.conn.tls?.cipher}`);
    return await this.#openSession(secured.conn, { ...approach, proof: secured.proof });
  }

  async #openSession(
    conn: Conn,
    approach: Approach & { readonly proof: TlsProof | null },
  ): Promise<Opened | Failed> {
    const { hop, signal, transcript } = approach;
    const opened = await SmtpClient.open(conn, { ...this.#clientOptions(), signal, transcript });
    if (opened.kind !== "open") return afterConnecting(judgeOpening(opened, hop), { hop });
    const { client } = opened;
    if (this.#ownNames.has(client.serverName)) {
      await client.quit();
      return afterConnecting(loopsBack(hop), { hop });
    }
    const secured = await secureSession(client, { ...this.#secureOptions(approach), signal });
    this.#report(approach, { secured, conn, tls: client.tls });
    if (secured.kind === "fits") {
      return await this.#logIn(client, { ...approach, proof: secured.proof ?? approach.proof });
    }
    client.close();
    if (secured.kind === "problem") transcript.note(`${hop.host} ${secured.problem.text}`);
    if (mayGoPlain(approach.policy, secured) && !signal.aborted) {
      const plain: TlsPolicy = { level: "none" };
      return await this.#establish({ ...approach, policy: plain, expectation: null });
    }
    if (secured.kind === "failed") {
      return afterConnecting(judgeOpening(secured.failure, hop), { hop, tls: client.tls });
    }
    return afterConnecting(judgeTlsProblem(secured.problem, hop), { hop, tls: secured.tls });
  }

  /** Tells what the connection was to whoever reports it to the domain (RFC 8460 section 3). */
  #report(
    { hop: { host, address }, expectation, signal }: Approach,
    { secured, conn, tls }: { secured: Secured; conn: Conn; tls: TlsInfo | null },
  ): void {
    const { onTlsOutcome } = this.#options.services;
    if (onTlsOutcome === undefined || expectation === null || signal.aborted) return;
    if (isRefused(secured)) return; // busy, not insecure
    const { domain, published, policy, defect } = expectation;
    const type = defect ?? failureOf(secured, { tls, host, policy });
    const sendingAddress = conn.local.address;
    const failure = type === null
      ? null
      : { type, host, receivingAddress: address, sendingAddress };
    onTlsOutcome({ domain, published, failure });
  }

  async #logIn(
    client: SmtpClient,
    { hop, signal, proof }: Approach & { readonly proof: TlsProof | null },
  ): Promise<Opened | Failed> {
    const { login } = this.#options;
    if (login === undefined) return { kind: "opened", client, proof };
    const outcome = await logIn(client, { login, hop, signal });
    if (outcome === null) return { kind: "opened", client, proof };
    await client.quit();
    return afterConnecting(outcome, { hop, tls: client.tls });
  }

  #secureOptions({ hop: { host }, policy }: Approach): SecureOptions {
    return { host, policy, settings: this.#settings };
  }

  #clientOptions() {
    const { heloName, protocol, ignoredExtensions, timeoutsMs, abortGraceMs } = this.#options;
    return {
      heloName,
      deadlines: this.#options.services.deadlines,
      ...(protocol === undefined ? {} : { protocol }),
      ...(ignoredExtensions === undefined ? {} : { ignoredExtensions }),
      ...(timeoutsMs === undefined ? {} : { timeoutsMs }),
      ...(abortGraceMs === undefined ? {} : { abortGraceMs }),
    };
  }
}

/**
 * RFC 7435 section 3: where TLS is opportunistic and breaks, plain is better than nothing. Only a
 * connection of its own knows nothing of the broken handshake.
 */
function mayGoPlain({ level }: TlsPolicy, secured: Secured): boolean {
  return level === "opportunistic" && !isRefused(secured);
}

/** Whether the server would not go on, as one that is busy. */
function isRefused(secured: Secured): boolean {
  return secured.kind === "failed" && secured.failure.kind === "refused";
}

/** What a domain would say is wrong with a connection; null for nothing. */
function failureOf(
  secured: Secured,
  { tls, host, policy }: { tls: TlsInfo | null; host: string; policy: TlsPolicy },
): TlsFailureType | null {
  if (secured.kind === "failed") return "validation-failure";
  if (secured.kind === "problem") return secured.problem.type;
  if (tls === null) return "starttls-not-supported";
  const verdict = judgeTls(tls, { policy, host });
  return verdict.kind === "fits" ? null : verdict.problem.type;
}

function afterConnecting(
  outcome: Outcome,
  { hop, tls = null }: { hop: RemoteHop; tls?: TlsInfo | null },
): Failed {
  return { kind: "failed", outcome, progress: "connected", tls, hop };
}

function failed(
  outcome: Outcome,
  { progress, hop }: { progress: Failed["progress"]; hop: RemoteHop },
): Failed {
  return { kind: "failed", outcome, progress, tls: null, hop };
}
