import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { siteOf } from "../base/ip.ts";
import type { AuthFacts } from "./authenticator.ts";
import type { TaskGate } from "./task_gate.ts";
import type { LoginCache, LoginKey } from "./login_cache.ts";
import type { Hasher } from "./password_hash.ts";
import { preparePassword, prepareUsername } from "./prepare.ts";
import { refused, UNKNOWN_USER, verdictOn } from "./verdicts.ts";
import type { ScramCredentials, Verdict } from "./sasl/mechanism.ts";
import type { ScramDecoys } from "./scram_decoys.ts";
import type { Attempt, AttemptEnd, Throttle, Ticket } from "./throttle.ts";
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
    return this.#judged({ clientAddress: facts.clientAddress, user }, async () => {
      const sources = this.#sources();
      const verdict = await this.#hashed({ login, password: prepared, table: sources.table });
      // What was right by users that are not in force any more is not remembered.
      if (verdict.kind === "accepted" && this.#sources() === sources) {
        cache.add(login, { password: prepared, proof: verdict.proof });
      }
      return verdict;
    });
  }

  /**
   * What to prove a SCRAM message with, and the ticket to end when it is proven or not; a verdict
   * where there will be no check.
   */
  scram(
    username: string,
    { clientAddress }: AuthFacts,
  ): ScramLookup | Verdict | Promise<ScramLookup | Verdict> {
    const user = prepareUsername(username) ?? "";
    return this.#admitted({ clientAddress, user }, (ticket) => {
      const { table, decoys } = this.#sources();
      return { credentials: decoys.credentialsOf(table.find(user), user), ticket };
    });
  }

  /** Whom a certificate stands for, as `judge` says. */
  certificate({ clientAddress }: AuthFacts, judge: () => Verdict): Verdict | Promise<Verdict> {
    return this.#judged({ clientAddress, user: null }, judge);
  }

  /** Whose a token is. `username` is what the client calls itself. */
  token(
    { token, username }: { token: string; username: string | null },
    { clientAddress }: AuthFacts,
  ): Verdict | Promise<Verdict> {
    const user = username === null ? null : prepareUsername(username) ?? "";
    return this.#judged({ clientAddress, user }, async () => {
      const { table, tokens, allowsUnlistedUsers } = this.#sources();
      if (tokens === null) return refused("unavailable", "tokens are not taken any more");
      const result = await tokens.check(token, this.#tools.signal);
      return judgeToken(result, { table, username, allowsUnlistedUsers });
    });
  }

  /** Runs a check that ends with a verdict when its time has come, and remembers the verdict. */
  #judged(
    attempt: Attempt,
    check: () => Verdict | Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    return this.#admitted(attempt, (ticket) => {
      const verdict = check();
      if (!(verdict instanceof Promise)) return ended(ticket, verdict);
      return verdict.then((known) => ended(ticket, known), (error) => {
        ticket.end("none");
        throw error;
      });
    });
  }

  /** Runs `check` when its time has come. */
  #admitted<T>(
    attempt: Attempt,
    check: (ticket: Ticket) => T | Promise<T>,
  ): T | Verdict | Promise<T | Verdict> {
    const { throttle, signal } = this.#tools;
    if (signal.aborted) return STOPPING;
    const admitted = throttle.admit(attempt, signal);
    if (admitted === null) return THROTTLED;
    if (!(admitted instanceof Promise)) return check(admitted);
    return admitted.then(
      (ticket) => ticket === null ? THROTTLED : check(ticket),
      () => STOPPING,
    );
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

/** The keys of a user, and the ticket of the attempt to prove to have them. */
export interface ScramLookup {
  readonly credentials: ScramCredentials;
  readonly ticket: Ticket;
}

function ended(ticket: Ticket, verdict: Verdict): Verdict {
  ticket.end(resultOf(verdict));
  return verdict;
}

/** What a verdict says of the credentials. */
function resultOf(verdict: Verdict): AttemptEnd {
  if (verdict.kind === "accepted") return "right";
  return verdict.failure === "credentials" ? "wrong" : "none";
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
