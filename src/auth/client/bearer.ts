import { encodeText } from "../../base/bytes.ts";
import type { ClientExchange } from "./exchange.ts";

/** A user's name and an access token. */
export interface TokenCredentials {
  readonly username: string;
  readonly token: string;
}

/** OAUTHBEARER (RFC 7628 section 3.1). */
export function oauthBearer({ username, token }: TokenCredentials): ClientExchange {
  const name = username.replaceAll("=", "=3D").replaceAll(",", "=2C"); // RFC 5801 section 4
  // Section 3.2.3: the client ends a failed exchange with one octet.
  return bearer({
    mechanism: "OAUTHBEARER",
    initial: `n,a=${name},\x01auth=Bearer ${token}\x01\x01`,
    atFailure: "\x01",
  });
}

/** XOAUTH2, as Google and Microsoft describe it. */
export function xOAuth2({ username, token }: TokenCredentials): ClientExchange {
  return bearer({
    mechanism: "XOAUTH2",
    initial: `user=${username}\x01auth=Bearer ${token}\x01\x01`,
    atFailure: "",
  });
}

/** A challenge is how the server tells why it refuses the token; its reply comes after it. */
function bearer(
  { mechanism, initial, atFailure }: { mechanism: string; initial: string; atFailure: string },
): ClientExchange {
  let isRefused = false;
  return {
    mechanism,
    initial: encodeText(initial),
    respond() {
      if (isRefused) return null;
      isRefused = true;
      return encodeText(atFailure);
    },
    get isComplete() {
      return !isRefused;
    },
  };
}
