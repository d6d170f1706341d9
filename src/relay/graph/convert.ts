import { base64Body, type RequestBody } from "../http/body.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { below } from "../http/options.ts";

/**
 * The request, without its token, that sends a message in MIME. Graph sends it to anyone who is in
 * To, Cc and Bcc.
 *
 * Source: learn.microsoft.com/graph/outlook-send-mime-message.
 */
export function graphRequest(
  message: RequestBody,
  { user, base }: { user: string; base: URL },
): HttpRequest {
  return {
    url: below(base, `/v1.0/users/${encodeURIComponent(user)}/sendMail`),
    headers: { "content-type": "text/plain" },
    body: base64Body(message),
  };
}
