import { type Clock, systemClock } from "../base/clock.ts";
import { type Random, systemRandom } from "../base/random.ts";
import { TaskGroup } from "../base/task_group.ts";
import type {
  Account,
  Authenticator,
  AuthExchange,
  AuthFacts,
  ClientCertificate,
  Identity,
} from "./authenticator.ts";
import { CredentialChecks } from "./checks.ts";
import { SaslExchange } from "./exchange.ts";
import { LoginCache } from "./login_cache.ts";
import { type Hasher, hashPassword } from "./password_hash.ts";
import { AuthState, type AuthTools } from "./state.ts";
import type { AuthSettings, UserSettings } from "./settings.ts";
import { Throttle } from "./throttle.ts";
import type { Fetch } from "./token/json_request.ts";
import { type GateLimits, TaskGate } from "./task_gate.ts";
import { type UsersFile, type UsersRead, UsersWatch } from "./user_source.ts";
import { refused } from "./verdicts.ts";

/** What authentication is configured with; `Config` has this shape. */
export interface AuthConfiguration {
  readonly auth: AuthSettings;
  readonly users: readonly UserSettings[];
}

/** What an authenticator is built on. */
export interface AuthenticatorOptions {
  /** More users, in a file that may change; null for none. */
  readonly usersFile: UsersFile | null;
  /** Is notified of a users file that cannot be used; the users read before stay. */
  readonly onTrouble: (message: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly fetch?: Fetch;
  readonly hasher?: Hasher;
}

/** Users cannot be taken as they are configured. */
export class UsersError extends Error {
  override readonly name = "UsersError";
}

/** The authenticator of a relay, which lives as long as the relay does. */
export interface ManagedAuthenticator extends Authenticator, AsyncDisposable {
  /**
   * Uses another configuration and reads the users file again.
   *
   * @throws UsersError when that cannot be used; the former users stay then.
   */
  reload(
    configuration: AuthConfiguration,
    options: Pick<AuthenticatorOptions, "usersFile">,
  ): Promise<void>;
}

/**
 * Reads the users and makes an authenticator.
 *
 * @throws UsersError when they cannot be used.
 */
export async function createAuthenticator(
  configuration: AuthConfiguration,
  { usersFile, ...options }: AuthenticatorOptions,
): Promise<ManagedAuthenticator> {
  const authenticator = new UserAuthenticator(configuration.auth, options);
  await authenticator.reload(configuration, { usersFile });
  return authenticator;
}

const HASHES_WAITING = 64;
const HASHES_WAITING_PER_SITE = 16;

class UserAuthenticator implements ManagedAuthenticator {
  readonly #tools: AuthTools;
  readonly #stop = new AbortController();
  readonly #onTrouble: (message: string) => void;
  readonly #looks: TaskGroup;
  readonly #checks: CredentialChecks;
  #state: AuthState;
  #watch: UsersWatch | null = null;
  /** The look that is under way. */
  #looking: Promise<void> | null = null;

  constructor(
    auth: AuthSettings,
    {
      onTrouble,
      clock = systemClock,
      random = systemRandom,
      fetch = globalThis.fetch,
      hasher = hashPassword,
    }: Omit<AuthenticatorOptions, "usersFile">,
  ) {
    const { signal } = this.#stop;
    this.#tools = {
      clock,
      random,
      fetch,
      hasher,
      signal,
      decoyKey: random.fill(new Uint8Array(32)),
      throttle: new Throttle(auth.throttle, clock),
      gate: new TaskGate(gateLimits(auth)),
      cache: new LoginCache({ clock, random, keepMs: auth.cacheMs }),
    };
    this.#onTrouble = onTrouble;
    this.#looks = new TaskGroup((error) => onTrouble(unreadable(messageOf(error))));
    this.#state = AuthState.empty(auth, this.#tools);
    this.#checks = new CredentialChecks({ sources: () => this.#state, tools: this.#tools });
  }

  refresh(): Promise<void> | null {
    if (this.#watch?.isDue) {
      const looking = this.#look().finally(() => {
        if (this.#looking === looking) this.#looking = null;
      });
      this.#looking = looking;
    }
    return this.#looking;
  }

  mechanisms(facts: Pick<AuthFacts, "tls" | "certificate">): readonly string[] {
    return this.#state.offered(facts).map(({ name }) => name);
  }

  start(mechanism: string, facts: AuthFacts): AuthExchange | null {
    const name = mechanism.toUpperCase(); // RFC 4954 section 4: in any case
    const found = this.#state.offered(facts).find((offered) => offered.name === name);
    if (found === undefined) return null;
    const exchange = new SaslExchange({
      mechanism: found,
      facts,
      checks: this.#checks,
      certificateVerdict: ({ certificate }) =>
        certificate === null
          ? refused("credentials", "there is no client certificate")
          : this.#state.certificateVerdict(certificate),
    });
    const looking = this.refresh();
    return looking === null ? exchange : afterLook(exchange, looking);
  }

  identify(certificate: ClientCertificate): Identity | null {
    const verdict = this.#state.certificateVerdict(certificate);
    if (verdict.kind === "refused") return null;
    return { ...verdict.proof, mechanism: "CERTIFICATE" };
  }

  account(user: string): Account | null {
    this.#lookSoon();
    return this.#state.account(user);
  }

  async reload(
    { auth, users }: AuthConfiguration,
    { usersFile }: Pick<AuthenticatorOptions, "usersFile">,
  ): Promise<void> {
    const watch = usersFile === null ? null : new UsersWatch(usersFile, this.#tools.clock);
    const read = await watch?.look() ?? null;
    const state = AuthState.build({ auth, users, file: read }, this.#tools);
    if (typeof state === "string") throw new UsersError(`Cannot use the users file: ${state}`);
    this.#tools.throttle.use(auth.throttle);
    this.#tools.gate.use(gateLimits(auth));
    this.#watch = watch;
    this.#enter(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the relay is stopping"));
    await this.#looks.idle();
  }

  #enter(state: AuthState): void {
    this.#state = state;
    this.#tools.cache.reset(state.auth.cacheMs);
  }

  /** Looks at the users file beside what is going on, where it is time for it. */
  #lookSoon(): void {
    const looking = this.#watch?.isDue ? this.refresh() : null;
    if (looking !== null) this.#looks.run(() => looking);
  }

  /** Takes the users of the file where it changed. */
  async #look(): Promise<void> {
    const watch = this.#watch;
    let read: UsersRead | null | undefined;
    try {
      read = await watch?.look();
    } catch (error) {
      read = { kind: "broken", reason: messageOf(error) };
    }
    if (!read || watch !== this.#watch) return;
    const state = this.#state.withFile(read, this.#tools);
    if (typeof state === "string") this.#onTrouble(unreadable(state));
    else this.#enter(state);
  }
}

/** An exchange that waits for a look before its first step. */
function afterLook(exchange: AuthExchange, looking: Promise<void>): AuthExchange {
  return {
    async begin(initialResponse) {
      await looking;
      return await exchange.begin(initialResponse);
    },
    respond: (line) => exchange.respond(line),
  };
}

function gateLimits({ maxHashing }: AuthSettings): GateLimits {
  return {
    running: maxHashing,
    waiting: HASHES_WAITING,
    waitingPerKey: HASHES_WAITING_PER_SITE,
  };
}

function unreadable(reason: string): string {
  return `Cannot reload the users file; the previous users stay in force: ${reason}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
