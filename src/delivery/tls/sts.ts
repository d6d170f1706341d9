import type { Clock } from "../../base/clock.ts";
import type { Resolver } from "../../net/resolver.ts";
import { TaskGroup } from "../../base/task_group.ts";
import {
  type FetchPolicyFile,
  fetchStsPolicy,
  type StsFailure,
  type StsFetchResult,
} from "./sts_fetch.ts";
import { type KeptPolicy, type PolicyShelf, StsCache } from "./sts_cache.ts";
import { stsId, type StsPolicy } from "./sts_policy.ts";

/** What is known of the policy of a domain. */
export type StsFinding =
  | { readonly kind: "policy"; readonly policy: StsPolicy }
  /** It has none, or none that can be had. */
  | { readonly kind: "none" }
  /** It says that it has one, which could not be fetched, and none is kept (RFC 8460 4.3.2.2). */
  | { readonly kind: "failed"; readonly type: StsFailure };

/** What finding policies takes. */
export interface MtaStsOptions {
  readonly clock: Clock;
  readonly resolver: Pick<Resolver, "txt">;
  readonly fetch: FetchPolicyFile;
  /** Where policies outlive the process; null for nowhere. */
  readonly shelf: PolicyShelf | null;
  readonly onError: (error: unknown) => void;
}

/** RFC 8461 section 3.3: after a failure, no more often than this. */
const RETRY_MS = 300_000;
/** RFC 8461 section 10.2: policies are fetched anew before they end. */
const REFRESH_MS = 24 * 3600_000;
const MAX_FAILURES = 10_000;

/** Finds the MTA-STS policies of domains (RFC 8461) and keeps them. */
export class MtaSts implements AsyncDisposable {
  readonly #options: MtaStsOptions;
  readonly #cache: StsCache;
  readonly #tasks: TaskGroup;
  readonly #pending = new Map<string, Promise<StsFetchResult>>();
  /** When fetching failed last, and how, by domain and id. */
  readonly #failures = new Map<string, { readonly atMs: number; readonly result: StsFinding }>();

  constructor(options: MtaStsOptions) {
    this.#options = options;
    this.#cache = new StsCache(options);
    this.#tasks = new TaskGroup(options.onError);
  }

  /** The policy in force for mail to a domain. */
  async find(domain: string): Promise<StsFinding> {
    await this.#cache.loaded;
    const kept = this.#cache.get(domain);
    const answer = await this.#options.resolver.txt(`_mta-sts.${domain}`);
    const id = answer.kind === "found" ? stsId(answer.records) : null;
    // Section 3.3: a policy that is kept holds, whoever hides the records.
    if (id === null) return kept === null ? NONE : inForce(kept.policy);
    if (kept?.id !== id) return await this.#fetchNew(domain, { id, kept });
    const ageMs = this.#options.clock.now() - kept.fetchedAtMs;
    const isOld = ageMs > REFRESH_MS || ageMs < 0; // the clock may have been set back
    if (isOld && !this.#hasFailed(`${domain} ${id}`)) {
      this.#tasks.run(async () => void await this.#fetchNew(domain, { id, kept }));
    }
    return inForce(kept.policy);
  }

  /** Waits for what is under way, and writes what is to be kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks.idle();
    await this.#cache[Symbol.asyncDispose]();
  }

  async #fetchNew(
    domain: string,
    { id, kept }: { id: string; kept: KeptPolicy | null },
  ): Promise<StsFinding> {
    const key = `${domain} ${id}`;
    const fallback = kept === null ? null : inForce(kept.policy);
    if (this.#hasFailed(key)) return fallback ?? this.#failures.get(key)?.result ?? NONE;
    const result = await this.#fetchOnce(domain);
    if (result.kind === "fetched") {
      this.#failures.delete(key);
      const { policy } = result;
      this.#cache.set(domain, { policy, id, fetchedAtMs: this.#options.clock.now() });
      return inForce(policy);
    }
    this.#rememberFailure(key, result);
    return fallback ?? result;
  }

  /** Many messages wait for one answer. */
  #fetchOnce(domain: string): Promise<StsFetchResult> {
    const pending = this.#pending.get(domain);
    if (pending !== undefined) return pending;
    const fetching = fetchStsPolicy(domain, this.#options).finally(() => {
      this.#pending.delete(domain);
    });
    this.#pending.set(domain, fetching);
    return fetching;
  }

  #hasFailed(key: string): boolean {
    const failure = this.#failures.get(key);
    return failure !== undefined && this.#options.clock.monotonic() - failure.atMs < RETRY_MS;
  }

  #rememberFailure(key: string, result: StsFinding): void {
    const [oldest] = this.#failures.size >= MAX_FAILURES ? this.#failures.keys() : [];
    if (oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(key, { atMs: this.#options.clock.monotonic(), result });
  }
}

const NONE: StsFinding = { kind: "none" };

/** RFC 8461 section 3.2: mode `none` is how a domain withdraws its policy. */
function inForce(policy: StsPolicy): StsFinding {
  return policy.mode === "none" ? NONE : { kind: "policy", policy };
}
