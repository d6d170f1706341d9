import { isSameSecret, parseJson } from "../proof.ts";
import { type EventRequest, type EventSource, forged, type Reading } from "../source.ts";
import { postmarkReports } from "./reports.ts";

/** The field in which a secret may stand in the place of a password. */
export const SECRET_HEADER = "x-posthouse-secret";

/** What the webhook of a Postmark server needs. */
export interface PostmarkSourceOptions {
  readonly name: string;
  readonly secret: string;
}

/**
 * Webhooks of Postmark, which signs nothing. It does send what it was told to: a password (RFC
 * 7617) or a header field. Anyone who sees one request has it, so this proves as much as the TLS
 * that the request came through.
 *
 * Source: postmarkapp.com/developer/webhooks/webhooks-overview.
 */
export class PostmarkSource implements EventSource {
  readonly name: string;
  readonly #secret: string;

  constructor({ name, secret }: PostmarkSourceOptions) {
    this.name = name;
    this.#secret = secret;
  }

  read({ headers, body }: EventRequest): Reading {
    const given = headers.get(SECRET_HEADER) ?? passwordOf(headers.get("authorization") ?? "");
    if (!isSameSecret(given, this.#secret)) return forged("it does not have the secret");
    return postmarkReports(parseJson(body));
  }
}

/** The password of RFC 7617, regardless of the user name; empty without one. */
function passwordOf(authorization: string): string {
  const encoded = /^basic +(\S{1,1024})$/i.exec(authorization)?.[1] ?? "";
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(encoded));
    const colon = text.indexOf(":");
    return colon < 0 ? "" : text.slice(colon + 1);
  } catch {
    return "";
  }
}
