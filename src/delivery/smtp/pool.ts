import type { Clock } from "../../base/clock.ts";
import { TaskGroup } from "../../base/task_group.ts";
import type { SmtpClient } from "../../smtp/client/client.ts";
import type { Peer } from "./fit.ts";
import type { TlsProof } from "../tls/policy.ts";
import type { RemoteHop } from "../transport.ts";

/** How long and how much connections are reused. */
export interface PoolLimits {
  /** The most messages over one connection. */
  readonly maxMessages: number;
  /** The longest time from its opening to its last message. */
  readonly maxAgeMs: number;
  /** The longest time it waits for the next message. */
  readonly maxIdleMs: number;
  /** The most connections that wait, over all hosts; the one longest idle goes first. */
  readonly maxIdle: number;
}

export const DEFAULT_POOL_LIMITS: PoolLimits = {
  maxMessages: 100,
  maxAgeMs: 300_000,
  maxIdleMs: 30_000,
  maxIdle: 1000,
};

/** An open session with a next hop. */
export interface Session {
  readonly client: SmtpClient;
  readonly hop: RemoteHop;
  /** As that of its `HostTarget`. */
  readonly key: string;
  /** How the server was found to be the right one; null where it was not. */
  readonly proof: TlsProof | null;
  readonly peer: Peer;
  /** On the clock's monotonic scale. */
  readonly openedAtMs: number;
}

interface Idle {
  readonly session: Session;
  readonly sinceMs: number;
}

/**
 * Sessions that wait for the next message to their host. A session is either here or with the
 * one caller that took it.
 */
export class ConnectionPool implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #limits: PoolLimits;
  readonly #farewells: TaskGroup;
  readonly #byKey = new Map<string, Idle[]>();
  /** All of them, the longest idle first. */
  readonly #byAge = new Set<Idle>();
  #cancelSweep: (() => void) | null = null;
  #closed = false;

  /** `onError` hears of defects met while a session is closed in the background. */
  constructor(
    { clock, limits, onError }: {
      clock: Clock;
      limits?: Partial<PoolLimits>;
      onError: (error: unknown) => void;
    },
  ) {
    this.#clock = clock;
    this.#limits = { ...DEFAULT_POOL_LIMITS, ...limits };
    this.#farewells = new TaskGroup(onError);
  }

  /** How many sessions wait. */
  get idleCount(): number {
    return this.#byAge.size;
  }

  /** Takes the session that waited least, which is the least likely to have gone stale. */
  take(key: string): Session | null {
    const waiting = this.#byKey.get(key);
    if (waiting === undefined) return null;
    for (let idle = waiting.pop(); idle !== undefined; idle = waiting.pop()) {
      this.#byAge.delete(idle);
      if (waiting.length === 0) this.#byKey.delete(key);
      const { session } = idle;
      if (session.client.isUsable && !this.isWornOut(session)) return session;
      this.#sayGoodbye(session);
    }
    return null;
  }

  /** Gives a session back after its message: it waits for the next one, if it may, or is closed. */
  release(session: Session, { isKept = true }: { isKept?: boolean } = {}): void {
    if (!session.client.isUsable) return;
    if (!isKept || this.#closed || this.isWornOut(session)) return this.#sayGoodbye(session);
    session.client.rest();
    const idle = { session, sinceMs: this.#clock.monotonic() };
    const waiting = this.#byKey.get(session.key);
    if (waiting === undefined) this.#byKey.set(session.key, [idle]);
    else waiting.push(idle);
    this.#byAge.add(idle);
    if (this.#byAge.size > this.#limits.maxIdle) this.#dropOldest();
    if (this.#cancelSweep === null) this.#scheduleSweep(this.#limits.maxIdleMs);
  }

  /** Whether a session has served its time. */
  isWornOut({ client, openedAtMs }: Session): boolean {
    const { maxMessages, maxAgeMs } = this.#limits;
    const { mailMax } = client.capabilities.limits; // RFC 9422 section 4.1
    return client.transactions >= Math.min(maxMessages, mailMax) ||
      this.#clock.monotonic() - openedAtMs >= maxAgeMs;
  }

  /** Closes what waits, politely; sessions that are given back later are closed then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    while (this.#byAge.size > 0) this.#dropOldest();
    await this.#farewells.idle();
  }

  #sayGoodbye({ client }: Session): void {
    this.#farewells.run(() => client.quit());
  }

  #dropOldest(): void {
    const [oldest] = this.#byAge;
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop(idle: Idle): void {
    const { session } = idle;
    this.#byAge.delete(idle);
    const others = this.#byKey.get(session.key)?.filter((other) => other !== idle) ?? [];
    if (others.length === 0) this.#byKey.delete(session.key);
    else this.#byKey.set(session.key, others);
    this.#sayGoodbye(session);
  }

  #scheduleSweep(delayMs: number): void {
    this.#cancelSweep = this.#clock.schedule(delayMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#cancelSweep = null;
    const nowMs = this.#clock.monotonic();
    for (const idle of this.#byAge) {
      const leftMs = idle.sinceMs + this.#limits.maxIdleMs - nowMs;
      if (leftMs > 0) return this.#scheduleSweep(leftMs);
      this.#drop(idle);
    }
  }
}
