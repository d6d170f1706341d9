import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Endpoint } from "./conn.ts";
import { type DnsExchange, exchange } from "./dns_exchange.ts";
import type { DnsQuestion } from "./dns_message.ts";
import { Gate } from "../base/gate.ts";

/** Why the DNS could not tell. */
export type DnsTrouble =
  | "timeout"
  /** SERVFAIL: among other things, an answer that does not validate. */
  | "server_failure"
  /** REFUSED and every other code that tells nothing about the name. */
  | "refused"
  | "malformed"
  | "unreachable"
  /** The resolver was closed. */
  | "closed";

/** The answer to a question about records of one type. */
export type DnsResult<Data> =
  | {
    readonly kind: "found";
    /** At least one. */
    readonly records: readonly Data[];
    readonly ttlMs: number;
    /** Validated by DNSSEC, by a resolver that is trusted to say so. */
    readonly authentic: boolean;
    /** The name at the end of the CNAMEs, in lower case. */
    readonly canonicalName: string;
  }
  /** The name exists and has no such records (NODATA). */
  | { readonly kind: "none"; readonly ttlMs: number; readonly authentic: boolean }
  /** The name does not exist (NXDOMAIN). */
  | { readonly kind: "nonexistent"; readonly ttlMs: number; readonly authentic: boolean }
  /** No server could tell. */
  | { readonly kind: "temporary"; readonly reason: DnsTrouble };

/** How a `DnsClient` asks. */
export interface DnsClientOptions {
  /** At least one. */
  readonly servers: readonly Endpoint[];
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly trustAd: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/** Each question takes a socket, and a list of a thousand destinations must not take them all. */
const MAX_CONCURRENT_QUESTIONS = 200;

/** Asks servers in turn until one can tell. Keeps nothing but which server answered last. */
export class DnsClient {
  readonly #options: DnsClientOptions;
  readonly #closing = new AbortController();
  readonly #gate = new Gate(MAX_CONCURRENT_QUESTIONS);
  #preferred = 0;

  constructor(options: DnsClientOptions) {
    this.#options = options;
  }

  ask(question: DnsQuestion): Promise<DnsResult<unknown>> {
    return this.#gate.run(() => this.#askServers(question));
  }

  /** Ends the questions in flight. */
  close(): void {
    this.#closing.abort();
  }

  async #askServers(question: DnsQuestion): Promise<DnsResult<unknown>> {
    const { servers, attempts } = this.#options;
    const hopeless = new Set<Endpoint>();
    let trouble: DnsTrouble = "timeout";
    for (let turn = 0; turn < attempts * servers.length; turn++) {
      const index = (this.#preferred + turn) % servers.length;
      const server = servers[index];
      if (server === undefined || hopeless.has(server)) continue;
      if (this.#closing.signal.aborted) return { kind: "temporary", reason: "closed" };
      const result = this.#judge(await this.#exchange(question, server));
      if (result.kind !== "temporary") {
        this.#preferred = index;
        return result;
      }
      trouble = result.reason;
      // Only silence is worth asking the same server again.
      if (trouble !== "timeout") hopeless.add(server);
    }
    return { kind: "temporary", reason: this.#closing.signal.aborted ? "closed" : trouble };
  }

  #exchange(question: DnsQuestion, server: Endpoint): Promise<DnsExchange> {
    const { timeoutMs, clock, random } = this.#options;
    return exchange(question, {
      server,
      timeoutMs,
      clock,
      random,
      signal: this.#closing.signal,
    });
  }

  #judge(answer: DnsExchange): DnsResult<unknown> {
    if (answer.kind !== "answered") return { kind: "temporary", reason: answer.kind };
    const authentic = answer.authenticData && this.#options.trustAd;
    const ttlMs = answer.ttlSeconds * 1000;
    const { records, canonicalName } = answer;
    switch (answer.rcode) {
      case "NOERROR":
        if (records.length === 0) return { kind: "none", ttlMs, authentic };
        return { kind: "found", records, ttlMs, authentic, canonicalName };
      case "NXDOMAIN":
        return { kind: "nonexistent", ttlMs, authentic };
      case "SERVFAIL":
        return { kind: "temporary", reason: "server_failure" };
      default:
        return { kind: "temporary", reason: "refused" };
    }
  }
}
