import type { Clock } from "../../base/clock.ts";
import type { Outcome } from "../../delivery/transport.ts";
import { textBody } from "./body.ts";
import { exchange, type Fetch, type HttpRequest, jsonOf } from "./exchange.ts";
import { textAt } from "./fields.ts";
import { outcomeOf } from "./outcome.ts";
import type { Authorization } from "./provider.ts";
import { retryAfterMs } from "./rate.ts";

/** What access tokens are asked for with (RFC 6749). */
export interface OAuthGrant {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** With one, tokens are a user's (section 6); without, the client's own (section 4.4). */
  readonly refreshToken?: string;
  readonly scope?: string;
}

interface Token {
  readonly text: string;
  readonly freshUntilMs: number;
}

type TokenResult =
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "failed"; readonly outcome: Outcome };

/** A token is replaced this long before it ends, so that it lasts for the request it is for. */
const MARGIN_MS = 60_000;
const USUAL_LIFE_S = 3600;
const TIMEOUT_MS = 30_000;

/**
 * Access tokens of one account: fetched when first needed, kept until shortly before they end,
 * and fetched once however many requests wait for one.
 */
export class OAuthTokens {
  readonly #ports: { fetch: Fetch; clock: Clock };
  readonly #grant: OAuthGrant;
  #refreshToken: string | undefined;
  #token: Token | null = null;
  #pending: Promise<TokenResult> | null = null;

  constructor(grant: OAuthGrant, { fetch, clock }: { fetch: Fetch; clock: Clock }) {
    this.#grant = grant;
    this.#ports = { fetch, clock };
    this.#refreshToken = grant.refreshToken;
  }

  /** The request with a token (RFC 6750 2.1). */
  async authorize(request: HttpRequest): Promise<Authorization> {
    const result = await this.#fresh();
    if (result.kind === "failed") return result;
    const headers = { ...request.headers, authorization: `Bearer ${result.token.text}` };
    return { kind: "request", request: { ...request, headers } };
  }

  /** Forgets the token of a request that was answered 401; the next one gets another. */
  refuse({ headers }: HttpRequest): boolean {
    if (headers.authorization === `Bearer ${this.#token?.text ?? ""}`) this.#token = null;
    return true;
  }

  #fresh(): Promise<TokenResult> | TokenResult {
    const token = this.#token;
    if (token !== null && this.#ports.clock.now() < token.freshUntilMs) {
      return { kind: "token", token };
    }
    this.#pending ??= this.#fetch().finally(() => this.#pending = null);
    return this.#pending;
  }

  async #fetch(): Promise<TokenResult> {
    // No caller's signal: others may wait for the same token.
    const { signal } = new AbortController();
    const result = await exchange(this.#ports, this.#request(), { signal, timeoutMs: TIMEOUT_MS });
    const { host } = new URL(this.#grant.tokenUrl);
    if (result.kind === "failed") {
      const text = `Cannot get a token from ${host}: ${result.reason}`;
      return {
        kind: "failed",
        outcome: outcomeOf({ verdict: "broken", enhanced: "4.4.1" }, { text }),
      };
    }
    const { answer } = result;
    const json = jsonOf(answer);
    const token = answer.status === 200 ? this.#read(json) : null;
    if (token !== null) return { kind: "token", token };
    const error = textAt(json, "error") ?? "no token";
    const text = `${host} answered ${answer.status} ${error}: ${
      textAt(json, "error_description") ?? ""
    }`;
    const waitMs = retryAfterMs(answer.headers, this.#ports.clock.now());
    return { kind: "failed", outcome: outcomeOf("broken", { text, waitMs }) };
  }

  #request(): HttpRequest {
    const { tokenUrl, clientId, clientSecret, scope } = this.#grant;
    const form = new URLSearchParams({ client_id: clientId, client_secret: clientSecret });
    if (this.#refreshToken === undefined) form.set("grant_type", "client_credentials");
    else {
      form.set("grant_type", "refresh_token");
      form.set("refresh_token", this.#refreshToken);
    }
    if (scope !== undefined) form.set("scope", scope);
    return {
      url: tokenUrl,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: textBody(form.toString()),
    };
  }

  #read(json: unknown): Token | null {
    const text = textAt(json, "access_token");
    if (text === null) return null;
    const lifeMs = Number(textAt(json, "expires_in") ?? USUAL_LIFE_S) * 1000;
    const freshMs = Math.max(lifeMs - MARGIN_MS, lifeMs / 2);
    // RFC 6749 section 6: a new refresh token takes the place of the old one.
    if (this.#refreshToken !== undefined) {
      this.#refreshToken = textAt(json, "refresh_token") ?? this.#refreshToken;
    }
    this.#token = { text, freshUntilMs: this.#ports.clock.now() + freshMs };
    return this.#token;
  }
}
