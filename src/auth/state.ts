import type { Random } from "../base/random.ts";
import type { Account, AuthFacts, ClientCertificate } from "./authenticator.ts";
import { encodeBase64 } from "./base64.ts";
import { CertificateMap } from "./certificates.ts";
import type { CheckSources, CheckTools } from "./checks.ts";
import { oauthBearer, xoauth2 } from "./sasl/bearer.ts";
import { external } from "./sasl/external.ts";
import { login } from "./sasl/login.ts";
import type { SaslServerMechanism, Verdict } from "./sasl/mechanism.ts";
import { plain } from "./sasl/plain.ts";
import { scramSha256 } from "./sasl/scram.ts";
import { ScramDecoys } from "./scram_decoys.ts";
import type { AuthSettings, UserSettings } from "./settings.ts";
import { IntrospectionChecker } from "./token/introspection_checker.ts";
import { JwksChecker } from "./token/jwks_checker.ts";
import type { Fetch } from "./token/json_request.ts";
import type { TokenChecker } from "./token/token_checker.ts";
import type { UsersRead } from "./user_source.ts";
import { buildUserTable, UserTable } from "./user_table.ts";
import { refused, verdictOn } from "./verdicts.ts";

/** What states are made with; it lives as long as the relay. */
export interface AuthTools extends CheckTools {
  readonly random: Random;
  readonly fetch: Fetch;
  /** For users files that bring no key of their own. */
  readonly decoyKey: Uint8Array;
}

/** What a state is made of. */
export interface StateParts {
  readonly auth: AuthSettings;
  readonly users: readonly UserSettings[];
  /** What the users file says; null where there is none. */
  readonly file: UsersRead | null;
}

/** One configuration and its users, read and ready; another one replaces it as a whole. */
export class AuthState implements CheckSources {
  readonly auth: AuthSettings;
  readonly table: UserTable;
  readonly decoys: ScramDecoys;
  readonly tokens: TokenChecker | null;
  readonly #users: readonly UserSettings[];
  readonly #certificates: CertificateMap;
  readonly #mechanisms: Mechanisms;

  private constructor(
    { auth, users, table, tokens, decoyKey }: {
      auth: AuthSettings;
      users: readonly UserSettings[];
      table: UserTable;
      tokens: TokenChecker | null;
      decoyKey: Uint8Array;
    },
    { random }: AuthTools,
  ) {
    this.auth = auth;
    this.table = table;
    this.tokens = tokens;
    this.decoys = new ScramDecoys({ key: decoyKey, iterations: table.decoyIterations });
    this.#users = users;
    this.#certificates = new CertificateMap(auth.certificates);
    this.#mechanisms = makeMechanisms(auth, random);
  }

  /** A state without users. */
  static empty(auth: AuthSettings, tools: AuthTools): AuthState {
    const table = new UserTable(new Map());
    const { decoyKey } = tools;
    return new AuthState({ auth, users: [], table, tokens: null, decoyKey }, tools);
  }

  /** Reads a configuration; a text says what is wrong with its users. */
  static build({ auth, users, file }: StateParts, tools: AuthTools): AuthState | string {
    return AuthState.#make({ auth, users, file, tokens: tokenChecker(auth, tools) }, tools);
  }

  /** The same configuration with what the users file says now. */
  withFile(file: UsersRead, tools: AuthTools): AuthState | string {
    const { auth, tokens } = this;
    return AuthState.#make({ auth, users: this.#users, file, tokens }, tools);
  }

  get allowsUnlistedUsers(): boolean {
    return this.auth.oauth?.unlistedUsers ?? false;
  }

  /** The mechanisms that some user could use on such a connection, the strongest first. */
  offered(
    { tls, certificate }: Pick<AuthFacts, "tls" | "certificate">,
  ): readonly SaslServerMechanism[] {
    const { table, tokens } = this;
    const { external, scram, bearer, passwords } = this.#mechanisms;
    return [
      ...certificate !== null && this.#certificates.find(certificate) !== null ? external : [],
      // A client takes the strongest it knows, and does not try another where that fails.
      ...table.hasScramForAll ? scram : [],
      ...tokens !== null && tls ? bearer : [], // RFC 7628 section 4: over TLS alone
      ...table.hasPasswords ? passwords : [],
    ];
  }

  /** Whom a certificate stands for. */
  certificateVerdict(certificate: ClientCertificate): Verdict {
    const name = this.#certificates.find(certificate);
    if (name === null) return refused("credentials", "the client certificate belongs to no user");
    const user = this.table.find(name);
    if (user === null) {
      return refused("credentials", "the client certificate belongs to an unknown user");
    }
    return verdictOn(user, null);
  }

  /** What a user may do; null for none. */
  account(name: string): Account | null {
    const user = this.table.find(name);
    if (user !== null) return user.enabled ? user.account : null;
    if (!this.allowsUnlistedUsers) return null;
    return {
      name,
      senders: [name],
      messageSizeBytes: null,
      messagesPerHour: null,
      messagesPerDay: null,
    };
  }

  static #make(
    { auth, users, file, tokens }: StateParts & { tokens: TokenChecker | null },
    tools: AuthTools,
  ): AuthState | string {
    if (file?.kind === "broken") return file.reason;
    const result = buildUserTable([...users, ...file?.users ?? []]);
    if (result.kind === "invalid") return result.problems.join("; ");
    const decoyKey = file?.decoyKey ?? tools.decoyKey;
    return new AuthState({ auth, users, table: result.table, tokens, decoyKey }, tools);
  }
}

interface Mechanisms {
  readonly external: readonly SaslServerMechanism[];
  readonly scram: readonly SaslServerMechanism[];
  readonly bearer: readonly SaslServerMechanism[];
  readonly passwords: readonly SaslServerMechanism[];
}

/** Nonces of 24 random octets; base64 has no comma. */
const NONCE_BYTES = 24;

function makeMechanisms({ mechanisms, oauth }: AuthSettings, random: Random): Mechanisms {
  const allowed = (...all: SaslServerMechanism[]): SaslServerMechanism[] =>
    all.filter(({ name }) => mechanisms === null || mechanisms.includes(name));
  const newNonce = (): string => encodeBase64(random.fill(new Uint8Array(NONCE_BYTES)));
  const hints = { scope: oauth?.scope ?? null };
  return {
    external: allowed(external),
    scram: allowed(scramSha256({ newNonce })),
    bearer: allowed(oauthBearer(hints), xoauth2(hints)),
    passwords: allowed(plain, login),
  };
}

function tokenChecker({ oauth }: AuthSettings, tools: AuthTools): TokenChecker | null {
  switch (oauth?.type) {
    case undefined:
      return null;
    case "jwks":
      return new JwksChecker(oauth, tools);
    case "introspection":
      return new IntrospectionChecker(oauth, tools);
  }
}
