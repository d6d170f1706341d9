import type { AccessTokens } from "../../base/access_tokens.ts";
import type { Random } from "../../base/random.ts";
import { oauthBearer, xOAuth2 } from "./bearer.ts";
import { cramMd5 } from "./cram_md5.ts";
import type { ClientExchange, Credentials } from "./exchange.ts";
import { login } from "./login.ts";
import { plain } from "./plain.ts";
import { saltedPasswords, type SaltPassword, scramSha256 } from "./scram.ts";

/** The mechanisms that this side speaks. */
export type ClientMechanism =
  | "SCRAM-SHA-256"
  | "OAUTHBEARER"
  | "XOAUTH2"
  | "CRAM-MD5"
  | "PLAIN"
  | "LOGIN";

/** Who logs in, and how. */
export interface ServerLoginOptions {
  readonly username: string;
  readonly secret:
    | { readonly kind: "password"; readonly password: string }
    | { readonly kind: "oauth"; readonly tokens: AccessTokens };
  /** Those that may be used, the preferred first. */
  readonly mechanisms: readonly ClientMechanism[];
  /** Whether connections without TLS will do. */
  readonly allowPlain: boolean;
  readonly random: Random;
}

/** How a login begins. */
export type LoginBeginning =
  | { readonly kind: "exchange"; readonly exchange: ClientExchange }
  | { readonly kind: "unusable"; readonly reason: string };

const NONCE_BYTES = 18;
const WITH_TOKENS: ReadonlySet<ClientMechanism> = new Set(["OAUTHBEARER", "XOAUTH2"]);

/** The login of this relay to the servers of one transport. */
export class ServerLogin {
  readonly allowPlain: boolean;
  readonly #options: ServerLoginOptions;
  readonly #salted: SaltPassword = saltedPasswords();
  #lastToken = "";

  constructor(options: ServerLoginOptions) {
    this.#options = options;
    this.allowPlain = options.allowPlain;
  }

  /** Chooses among the mechanisms that a server offers, in upper case. */
  begin(offered: readonly string[]): LoginBeginning | Promise<LoginBeginning> {
    const { secret, mechanisms } = this.#options;
    const needsToken = secret.kind === "oauth";
    const mechanism = mechanisms.find((name) =>
      offered.includes(name) && WITH_TOKENS.has(name) === needsToken
    );
    if (mechanism === undefined) {
      return { kind: "unusable", reason: `no mechanism in common with ${offered.join(", ")}` };
    }
    if (secret.kind === "oauth") return this.#beginWithToken(mechanism, secret.tokens);
    const { username } = this.#options;
    const credentials = { username, password: secret.password };
    return { kind: "exchange", exchange: this.#exchange(mechanism, credentials) };
  }

  /** The server refused what `begin` made last: its token, where it has one, is forgotten. */
  refused(): void {
    const { secret } = this.#options;
    if (secret.kind === "oauth") secret.tokens.refused(this.#lastToken);
  }

  async #beginWithToken(
    mechanism: ClientMechanism,
    tokens: AccessTokens,
  ): Promise<LoginBeginning> {
    const result = await tokens.fresh();
    if (result.kind === "failed") return { kind: "unusable", reason: result.reason };
    this.#lastToken = result.text;
    const make = mechanism === "XOAUTH2" ? xOAuth2 : oauthBearer;
    const exchange = make({ username: this.#options.username, token: result.text });
    return { kind: "exchange", exchange };
  }

  #exchange(mechanism: ClientMechanism, credentials: Credentials): ClientExchange {
    switch (mechanism) {
      case "SCRAM-SHA-256":
        return scramSha256(credentials, { nonce: this.#newNonce(), salted: this.#salted });
      case "CRAM-MD5":
        return cramMd5(credentials);
      case "LOGIN":
        return login(credentials);
      default:
        return plain(credentials);
    }
  }

  #newNonce(): string {
    return this.#options.random.fill(new Uint8Array(NONCE_BYTES)).toBase64();
  }
}
