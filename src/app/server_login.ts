import { ServerLogin } from "../auth/client/server_login.ts";
import { AccessTokens } from "../base/access_tokens.ts";
import type { HttpFetch } from "../base/http_request.ts";
import type { AuthConfig } from "../config/sections/transport_auth.ts";
import type { Login, SmtpServices } from "../delivery/smtp/options.ts";
import { formPoster, type RefreshTokens } from "../relay/http/oauth.ts";

/** What transports of all kinds share. */
export interface TransportServices extends SmtpServices {
  readonly fetch: HttpFetch;
  /** Where new refresh tokens are kept. */
  readonly refreshTokens: RefreshTokens;
}

/** The login of this relay to the servers of a transport. */
export function makeLogin(
  { username, credentials, mechanisms, allowPlain }: AuthConfig,
  { clock, random, fetch, refreshTokens }: TransportServices,
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
  const tokens = new AccessTokens(grant, {
    ...{ clock, post: formPoster({ fetch, clock }), keeper: refreshTokens(grant) },
  });
  return new ServerLogin({ ...options, secret: { kind: "oauth", tokens } });
}
