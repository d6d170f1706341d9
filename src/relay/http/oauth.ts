import {
  AccessTokens,
  type OAuthGrant,
  type PostForm,
  type RefreshTokenKeeper,
} from "../../base/access_tokens.ts";
import type { Clock } from "../../base/clock.ts";
import type { HttpFetch } from "../../base/http_request.ts";
import { textBody } from "./body.ts";
import { exchange, type HttpRequest, jsonOf } from "./exchange.ts";
import { outcomeOf } from "./outcome.ts";
import type { Authorization } from "./provider.ts";
import { retryAfterMs } from "./rate.ts";

/** Where new refresh tokens of a grant are kept. */
export type RefreshTokens = (grant: OAuthGrant) => RefreshTokenKeeper;

const TIMEOUT_MS = 30_000;
const SCHEME = "Bearer ";

/** Access tokens of one account for requests to an API. */
export class OAuthTokens {
  readonly #tokens: AccessTokens;

  constructor(
    grant: OAuthGrant,
    { refreshTokens, ...ports }: { fetch: HttpFetch; clock: Clock; refreshTokens?: RefreshTokens },
  ) {
    this.#tokens = new AccessTokens(grant, {
      ...{ clock: ports.clock, post: formPoster(ports) },
      ...(refreshTokens === undefined ? {} : { keeper: refreshTokens(grant) }),
    });
  }

  /** The request with a token (RFC 6750 2.1). */
  async authorize(request: HttpRequest): Promise<Authorization> {
    const result = await this.#tokens.fresh();
    if (result.kind === "failed") {
      const { reason, wasAnswered, retryAfterMs: waitMs } = result;
      const row = wasAnswered ? "broken" : { verdict: "broken", enhanced: "4.4.1" } as const;
      return { kind: "failed", outcome: outcomeOf(row, { text: reason, waitMs }) };
    }
    const headers = { ...request.headers, authorization: `${SCHEME}${result.text}` };
    return { kind: "request", request: { ...request, headers } };
  }

  /** Forgets the token of a request that was answered 401; the next one gets another. */
  refuse({ headers: { authorization = "" } }: HttpRequest): boolean {
    if (authorization.startsWith(SCHEME)) this.#tokens.refused(authorization.slice(SCHEME.length));
    return true;
  }
}

/** Posts forms to token endpoints. */
export function formPoster(ports: { fetch: HttpFetch; clock: Clock }): PostForm {
  return async (url, form) => {
    const request = {
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: textBody(form.toString()),
    };
    // No caller's signal: others may wait for the same token.
    const { signal } = new AbortController();
    const result = await exchange(ports, request, { signal, timeoutMs: TIMEOUT_MS });
    if (result.kind === "failed") return { kind: "failed", reason: result.reason };
    const { answer } = result;
    return {
      kind: "answered",
      status: answer.status,
      json: jsonOf(answer),
      retryAfterMs: retryAfterMs(answer.headers, ports.clock.now()),
    };
  };
}
