import { encodeText } from "../../base/bytes.ts";
import { readGs2Header } from "./gs2.ts";
import type { SaslServerMechanism, SaslStep, Verdict } from "./mechanism.ts";
import { clientFirst, concluded, failed, malformed, strictText } from "./messages.ts";

/** b64token of RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const PAIR_END = "\x01";

/** What a client is told beside the refusal of its token. */
export interface BearerHints {
  /** The scope that tokens need; null where none is asked for. */
  readonly scope: string | null;
}

/** OAUTHBEARER, RFC 7628. */
export function oauthBearer(hints: BearerHints): SaslServerMechanism {
  // RFC 7628 section 3.2.2: `status` is an error code of RFC 6750 section 3.1.
  const error = errorMessage({ status: "invalid_token", ...scopeOf(hints) });
  return {
    name: "OAUTHBEARER",
    start: (initialResponse) =>
      clientFirst(initialResponse, (message) => takeBearerMessage(message, error)),
  };
}

/** XOAUTH2 as Google and Microsoft document it. */
export function xoauth2(hints: BearerHints): SaslServerMechanism {
  const error = errorMessage({ status: "401", schemes: "bearer", ...scopeOf(hints) });
  return {
    name: "XOAUTH2",
    start: (initialResponse) =>
      clientFirst(initialResponse, (message) => takeXoauth2Message(message, error)),
  };
}

/** gs2-header kvsep *kvpair kvsep (RFC 7628 section 3.1) */
function takeBearerMessage(message: Uint8Array, error: Uint8Array): SaslStep {
  const text = strictText(message);
  const header = text === null ? null : readGs2Header(text);
  if (text === null || header === null || header.kind === "malformed") {
    return malformed("the OAUTHBEARER message has no GS2 header");
  }
  if (header.kind === "channel_binding") {
    return failed("credentials", "the client requires channel binding, which is not offered");
  }
  const rest = text.slice(header.end);
  const token = rest.startsWith(PAIR_END) ? tokenOf(pairsOf(rest.slice(1))) : null;
  if (token === null) return malformed("the OAUTHBEARER message has no bearer token");
  return checkToken({ token, username: header.authzid === "" ? null : header.authzid, error });
}

/** "user=" user kvsep "auth=Bearer " token kvsep kvsep */
function takeXoauth2Message(message: Uint8Array, error: Uint8Array): SaslStep {
  const pairs = pairsOf(strictText(message) ?? "");
  const token = tokenOf(pairs);
  const username = pairs?.get("user") ?? "";
  if (token === null || username === "") {
    return malformed("the XOAUTH2 message lacks user or bearer token");
  }
  return checkToken({ token, username, error });
}

function checkToken(
  { token, username, error }: { token: string; username: string | null; error: Uint8Array },
): SaslStep {
  const next = (verdict: Verdict): SaslStep =>
    verdict.kind === "refused" && verdict.failure === "credentials"
      // The client answers with one octet (RFC 7628) or nothing (XOAUTH2); either ends it.
      ? { kind: "challenge", data: error, next: () => concluded(verdict) }
      : concluded(verdict);
  return { kind: "check_token", token, username, next };
}

/** `key=value` pairs, each ended by U+0001 and all of them by one more; null for anything else. */
function pairsOf(text: string): ReadonlyMap<string, string> | null {
  if (!text.endsWith(`${PAIR_END}${PAIR_END}`)) return null;
  const pairs = new Map<string, string>();
  for (const pair of text.slice(0, -2).split(PAIR_END)) {
    const equals = pair.indexOf("=");
    if (equals < 1 || pairs.has(pair.slice(0, equals))) return null;
    pairs.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return pairs;
}

function tokenOf(pairs: ReadonlyMap<string, string> | null): string | null {
  // RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1.
  const [, token = ""] = /^bearer +(\S.*)$/i.exec(pairs?.get("auth") ?? "") ?? [];
  return TOKEN.test(token) ? token : null;
}

function scopeOf({ scope }: BearerHints): { scope?: string } {
  return scope === null ? {} : { scope };
}

function errorMessage(fields: Readonly<Record<string, string>>): Uint8Array {
  return encodeText(JSON.stringify(fields));
}
