import type { PublishedPolicy, ReportedFailure, TlsOutcome } from "./outcome.ts";

/** Failures of one kind at one exchanger. */
export interface FailureTally {
  readonly type: ReportedFailure;
  readonly host: string;
  readonly receivingAddress: string;
  readonly sendingAddress: string;
  count: number;
}

/** Connections under one policy of a domain. */
export interface PolicyTally {
  readonly published: PublishedPolicy;
  successes: number;
  failures: number;
  /** By what they have in common. */
  readonly details: FailureTally[];
}

/** What happened on one day, by domain. */
export type DayTally = Record<string, PolicyTally[]>;

const MAX_DOMAINS = 10_000;
const MAX_POLICIES = 10;
const MAX_DETAILS = 100;

/** Counts outcomes by day (UTC), domain and policy, as reports want them (RFC 8460 section 4). */
export class TlsTally {
  /** By the date, such as `2026-01-31`. */
  readonly #days: Map<string, Map<string, PolicyTally[]>>;

  constructor(days: Readonly<Record<string, DayTally>> = {}) {
    this.#days = new Map(
      Object.entries(days).map(([date, day]) => [date, new Map(Object.entries(day))]),
    );
  }

  add({ domain, published, failure }: TlsOutcome, nowMs: number): void {
    const policy = this.#policy(dateOf(nowMs), { domain, published });
    if (policy === null) return;
    if (failure === null) {
      policy.successes++;
      return;
    }
    policy.failures++;
    const known = policy.details.find((detail) =>
      detail.type === failure.type && detail.host === failure.host &&
      detail.receivingAddress === failure.receivingAddress &&
      detail.sendingAddress === failure.sendingAddress
    );
    if (known !== undefined) known.count++;
    else if (policy.details.length < MAX_DETAILS) policy.details.push({ ...failure, count: 1 });
  }

  /** The days that are over, oldest first. */
  finished(nowMs: number): [date: string, day: ReadonlyMap<string, PolicyTally[]>][] {
    const today = dateOf(nowMs);
    return [...this.#days].filter(([date]) => date < today).sort(([a], [b]) => a < b ? -1 : 1);
  }

  /** Forgets a domain's part of a day, which was reported or never will be. */
  forget(date: string, domain: string): void {
    const day = this.#days.get(date);
    if (day === undefined) return;
    day.delete(domain);
    if (day.size === 0) this.#days.delete(date);
  }

  /** Everything, to be kept as JSON. */
  toJSON(): Readonly<Record<string, DayTally>> {
    const days = [...this.#days].map(([date, day]) => [date, Object.fromEntries(day)] as const);
    return Object.fromEntries(days);
  }

  #policy(
    date: string,
    { domain, published }: Pick<TlsOutcome, "domain" | "published">,
  ): PolicyTally | null {
    const day = this.#days.get(date) ?? new Map<string, PolicyTally[]>();
    this.#days.set(date, day);
    const policies = day.get(domain) ?? [];
    if (policies.length === 0 && day.size >= MAX_DOMAINS) return null;
    day.set(domain, policies);
    const key = JSON.stringify(published);
    const known = policies.find((policy) => JSON.stringify(policy.published) === key);
    if (known !== undefined || policies.length >= MAX_POLICIES) return known ?? null;
    const added: PolicyTally = { published, successes: 0, failures: 0, details: [] };
    policies.push(added);
    return added;
  }
}

function dateOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}
