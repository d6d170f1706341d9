import { timingSafeEqual } from "node:crypto";
import { type Clock, sleep } from "../base/clock.ts";
import type { AuthFacts } from "./authenticator.ts";
import type { TaskGate } from "./task_gate.ts";
import type { LoginCache, LoginKey } from "./login_cache.ts";
import type { Hasher } from "./password_hash.ts";
import { preparePassword, prepareUsername } from "./prepare.ts";
import { refused, UNKNOWN_USER, verdictOn } from "./verdicts.ts";
import type { ScramCredentials, Verdict } from "./sasl/mechanism.ts";
import type { ScramDecoys } from "./scram_decoys.ts";
import { type Attempt, siteOf, type Throttle } from "./throttle.ts";
import { judgeToken, type TokenChecker } from "./token/token_checker.ts";
import type { User, UserTable } from "./user_table.ts";

/** What the checks of one configuration look at. */
export interface CheckSources {
  readonly table: UserTable;
  readonly decoys: ScramDecoys;
  /** Null where tokens are not taken. */
  readonly tokens: TokenChecker | null;
  readonly allowsUnlistedUsers: boolean;
}

/** What lives as long as the relay. */
export interface CheckTools {
  readonly clock: Clock;
  readonly hasher: Hasher;
  readonly throttle: Throttle;
  readonly gate: TaskGate;
  readonly cache: LoginCache;
  /** Ends all waiting when it aborts. */
  readonly signal: AbortSignal;
}

/** A user name and password from `facts`. */
export interface PasswordLogin {
  readonly username: string;
  readonly password: string;
  readonly facts: AuthFacts;
}

const STOPPING = refused("unavailable", "the relay is stopping");
const THROTTLED = refused("throttled", "too many wrong attempts of late");
const TOO_BUSY = refused("unavailable", "too many passwords wait to be hashed");

/** Checks credentials, slowed and bounded. */
export class CredentialChecks {
  readonly #sources: () => CheckSources;
  readonly #tools: CheckTools;

  /** `sources` gives those in force at the time of a check. */
  constructor({ sources, tools }: { sources: () => CheckSources; tools: CheckTools }) {
    this.#sources = sources;
    this.#tools = tools;
  }

  /** Whether a password is right. */
  password({ username, password, facts }: PasswordLogin): Verdict | Promise<Verdict> {
    const { cache } = this.#tools;
    const user = prepareUsername(username) ?? "";
    const prepared = preparePassword(password) ?? "";
    const login = { site: siteOf(facts.clientAddress), user };
    const proof = cache.find(login, prepared);
    if (proof !== null) return { kind: "accepted", proof };
    return this.#admitted({ clientAddress: facts.clientAddress, user }, async () => {
      const sources = this.#sources();
      const verdict = await this.#hashed({ login, password: prepared, table: sources.table });
      // What was right by users that are not in force any more is not remembered.
      if (verdict.kind === "accepted" && this.#sources() === sources) {
        cache.add(login, { password: prepared, proof: verdict.proof });
      }
      return verdict;
    });
  }

  /** What to prove a SCRAM message with; a verdict where there will be no check. */
  scram(
    username: string,
    { clientAddress }: AuthFacts,
  ): ScramCredentials | Verdict | Promise<ScramCredentials | Verdict> {
    const user = prepareUsername(username) ?? "";
    return this.#admitted({ clientAddress, user }, () => {
      const { table, decoys } = this.#sources();
      return decoys.credentialsOf(table.find(user), user);
    });
  }

  /** Whose a token is. `username` is what the client calls itself. */
  token(
    { token, username }: { token: string; username: string | null },
    { clientAddress }: AuthFacts,
  ): Verdict | Promise<Verdict> {
    const user = username === null ? null : prepareUsername(username) ?? "";
    return this.#admitted({ clientAddress, user }, async () => {
      const { table, tokens, allowsUnlistedUsers } = this.#sources();
      if (tokens === null) return refused("unavailable", "tokens are not taken any more");
      const result = await tokens.check(token, this.#tools.signal);
      return judgeToken(result, { table, username, allowsUnlistedUsers });
    });
  }

  /** Remembers how an attempt ended. */
  conclude(attempt: Attempt, verdict: "right" | "wrong"): void {
    const { throttle, clock } = this.#tools;
    if (verdict === "right") throttle.succeeded(attempt);
    else throttle.failed(attempt, clock.monotonic());
  }

  /** Runs `check` when its time has come. */
  #admitted<T>(attempt: Attempt, check: () => T | Promise<T>): T | Verdict | Promise<T | Verdict> {
    const { throttle, clock, signal } = this.#tools;
    if (signal.aborted) return STOPPING;
    const admission = throttle.admit(attempt, clock.monotonic());
    if (admission.kind === "refused") return THROTTLED;
    if (admission.waitMs === 0) return check();
    return sleep(clock, { delayMs: admission.waitMs, signal }).then(check, () => STOPPING);
  }

  /** One run of the hash, whoever the user is: that nobody learns which users there are. */
  async #hashed(
    { login: { site, user }, password, table }: {
      login: LoginKey;
      password: string;
      table: UserTable;
    },
  ): Promise<Verdict> {
    const { gate, hasher } = this.#tools;
    const found = table.find(user);
    const recipe = found?.recipe ?? table.decoyRecipe;
    const hashing = gate.run(site, () => hasher(password, recipe));
    if (hashing === null) return TOO_BUSY;
    const digest = await hashing;
    return judgePassword(found, password === "" ? null : digest);
  }
}

/** `digest` is null for a password that cannot be one. */
function judgePassword(user: User | null, digest: Uint8Array | null): Verdict {
  if (user === null) return UNKNOWN_USER;
  const { account: { name }, passwords } = user;
  const matches = digest === null
    ? []
    : passwords.filter((password) => timingSafeEqual(password.digest, digest));
  const [match] = matches;
  if (match !== undefined) return verdictOn(user, match.device);
  const quoted = JSON.stringify(name);
  return refused(
    "credentials",
    passwords.length === 0 ? `user ${quoted} has no password` : `wrong password for user ${quoted}`,
  );
}
