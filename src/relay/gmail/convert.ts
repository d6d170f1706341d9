import type { RequestBody } from "../http/body.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { below } from "../http/options.ts";

/**
 * The request, without its token, that uploads a message. Gmail sends it to anyone who is in To, Cc
 * and Bcc, and removes Bcc from what the recipients get.
 *
 * Source: developers.google.com/gmail/api/reference/rest/v1/users.messages/send, media upload.
 */
export function gmailRequest(
  message: RequestBody,
  { user, base }: { user: string; base: URL },
): HttpRequest {
  const path = `/upload/gmail/v1/users/${encodeURIComponent(user)}/messages/send?uploadType=media`;
  return {
    url: below(base, path),
    headers: { "content-type": "message/rfc822" },
    body: message,
  };
}
