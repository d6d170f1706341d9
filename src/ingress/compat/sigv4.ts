import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A request that says who signed it. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What an Authorization field of AWS Signature Version 4 says. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** `20260101/eu-west-1/ses/aws4_request` */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
/** How far the clocks may be apart, as AWS has it. */
const TOLERANCE_MS = 15 * 60_000;

/** Reads the field; null when it is none of this kind. */
export function readClaim(authorization: string): SignatureClaim | null {
  const found =
    /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8}\/[\w-]+\/[\w-]+\/aws4_request), *SignedHeaders=([\w;-]+), *Signature=([\da-f]{64})$/
      .exec(authorization);
  const [, accessKeyId = "", scope = "", signedHeaders = "", signature = ""] = found ?? [];
  if (found === null) return null;
  return { accessKeyId, scope, signedHeaders: signedHeaders.split(";"), signature };
}

/** Whether a request was signed with `secret`, not long ago, host and time included. */
export function isSignedWith(
  secret: string,
  { request, claim, nowMs }: { request: SignedRequest; claim: SignatureClaim; nowMs: number },
): boolean {
  const { signedHeaders, scope, signature } = claim;
  const amzDate = request.headers.get("x-amz-date") ?? "";
  const isComplete = signedHeaders.includes("host") && signedHeaders.includes("x-amz-date");
  if (!isComplete || !amzDate.startsWith(scope.slice(0, 8)) || !isNear(amzDate, nowMs)) {
    return false;
  }
  const canonical = canonicalRequest(request, signedHeaders);
  const text = [ALGORITHM, amzDate, scope, sha256(canonical)].join("\n");
  let key: Uint8Array = new TextEncoder().encode(`AWS4${secret}`);
  for (const step of scope.split("/")) key = hmac(key, step);
  return timingSafeEqual(hmac(key, text), Uint8Array.fromHex(signature));
}

function isNear(amzDate: string, nowMs: number): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate)?.slice(1).map(Number);
  if (parts === undefined) return false;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return Math.abs(atMs - nowMs) <= TOLERANCE_MS;
}

function canonicalRequest(
  { method, url, headers, body }: SignedRequest,
  signedHeaders: readonly string[],
): string {
  const fields = signedHeaders.map((name) =>
    `${name}:${(headers.get(name) ?? "").trim().replace(/ +/g, " ")}\n`
  );
  const path = url.pathname.split("/").map(uriEncode).join("/");
  const query = [...url.searchParams]
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`).sort().join("&");
  return [method, path, query, fields.join(""), signedHeaders.join(";"), sha256(body)].join("\n");
}

/** Every octet but the unreserved characters of RFC 3986 2.3 in hexadecimal. */
function uriEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(text).digest());
}
