import { AccessTokens, type FormAnswer, type PostForm } from "../auth/client/access_tokens.ts";
import { ServerLogin } from "../auth/client/server_login.ts";
import type { Clock } from "../base/clock.ts";
import type { AuthConfig } from "../config/sections/transport_auth.ts";
import type { Login, SmtpServices } from "../delivery/smtp/options.ts";
import { textBody } from "../relay/http/body.ts";
import { exchange, type Fetch, jsonOf } from "../relay/http/exchange.ts";

/** What transports of all kinds share. */
export interface TransportServices extends SmtpServices {
  readonly fetch: Fetch;
}

const TOKEN_TIMEOUT_MS = 30_000;

/** The login of this relay to the servers of a transport. */
export function makeLogin(
  { username, credentials, mechanisms, allowPlain }: AuthConfig,
  { clock, random, fetch }: TransportServices,
): Login {
  const options = { username, mechanisms, allowPlain, random };
  if (credentials.kind === "password") return new ServerLogin({ ...options, secret: credentials });
  const { tokenUrl, clientId, clientSecret, refreshToken, scope } = credentials;
  const grant = {
    tokenUrl,
    clientId,
    clientSecret,
    ...(refreshToken === null ? {} : { refreshToken }),
    ...(scope === null ? {} : { scope }),
  };
  const tokens = new AccessTokens(grant, { clock, post: formPoster({ fetch, clock }) });
  return new ServerLogin({ ...options, secret: { kind: "oauth", tokens } });
}

function formPoster(ports: { fetch: Fetch; clock: Clock }): PostForm {
  return async (url, form): Promise<FormAnswer> => {
    const request = {
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: textBody(form.toString()),
    };
    // No caller's signal: others may wait for the same token.
    const { signal } = new AbortController();
    const result = await exchange(ports, request, { signal, timeoutMs: TOKEN_TIMEOUT_MS });
    if (result.kind === "failed") return { kind: "failed", reason: result.reason };
    return { kind: "answered", status: result.answer.status, json: jsonOf(result.answer) };
  };
}
