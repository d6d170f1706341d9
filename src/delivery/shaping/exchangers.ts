import type { Clock } from "../../base/clock.ts";
import type { Resolver } from "../../net/resolver.ts";

const NONE: readonly string[] = [];
const KEEP_MS = 600_000;
const KEEP_FAILURE_MS = 60_000;
const MAX_DOMAINS = 10_000;

interface Known {
  readonly hosts: readonly string[];
  /** By the monotonic clock. */
  readonly untilMs: number;
}

/** The names of the mail exchangers of domains, kept for ten minutes. */
export class ExchangerBook {
  readonly #resolver: Pick<Resolver, "mx">;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #pending = new Map<string, Promise<void>>();

  constructor({ resolver, clock }: { resolver: Pick<Resolver, "mx">; clock: Clock }) {
    this.#resolver = resolver;
    this.#clock = clock;
  }

  /** In lower case; null when they have to be looked up first. */
  get(domain: string): readonly string[] | null {
    if (domain.startsWith("[")) return NONE;
    const known = this.#known.get(domain);
    return known !== undefined && known.untilMs > this.#clock.monotonic() ? known.hosts : null;
  }

  /** Looks them up; `get` knows them then. Where the DNS cannot tell there are none for a while. */
  lookUp(domain: string): Promise<void> {
    const pending = this.#pending.get(domain);
    if (pending !== undefined) return pending;
    const started = this.#ask(domain).finally(() => this.#pending.delete(domain));
    this.#pending.set(domain, started);
    return started;
  }

  async #ask(domain: string): Promise<void> {
    const answer = await this.#resolver.mx(domain);
    const hosts = answer.kind === "found"
      ? answer.records.map(({ exchange }) => exchange.replace(/\.$/, "").toLowerCase())
      : answer.kind === "none"
      ? [domain] // RFC 5321 5.1: the domain is its own exchanger
      : NONE;
    const keepMs = answer.kind === "temporary" ? KEEP_FAILURE_MS : KEEP_MS;
    this.#known.delete(domain);
    this.#known.set(domain, { hosts, untilMs: this.#clock.monotonic() + keepMs });
    if (this.#known.size <= MAX_DOMAINS) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}
