import { createHash } from "node:crypto";
import { encodeText } from "../../base/bytes.ts";
import { hmacSha256 } from "./digest.ts";

/** A request as AWS Signature Version 4 sees it. */
export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  /** The fields to sign besides Host and the date; a name may come more than once. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body in lower-case hexadecimal. */
  readonly payloadHash: string;
}

/** Who signs. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** Whom the signature is for. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * The fields that sign a request (AWS Signature Version 4): Authorization, X-Amz-Date and, with
 * temporary credentials, X-Amz-Security-Token.
 */
export async function signV4(
  request: SignableRequest,
  { credentials, scope }: { credentials: AwsCredentials; scope: SigningScope },
): Promise<Record<string, string>> {
  const amzDate = new Date(scope.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const added: Record<string, string> = { "x-amz-date": amzDate };
  if (credentials.sessionToken !== undefined) {
    added["x-amz-security-token"] = credentials.sessionToken;
  }
  const headers = [...request.headers, ["host", request.url.host] as const];
  headers.push(...Object.entries(added));
  const { text, signedHeaders } = canonicalRequest({ ...request, headers });
  const day = amzDate.slice(0, 8);
  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const stringToSign = [ALGORITHM, amzDate, credentialScope, sha256(text)].join("\n");
  let key = encodeText(`AWS4${credentials.secretAccessKey}`);
  for (const step of credentialScope.split("/")) key = await hmacSha256(key, step);
  const signature = (await hmacSha256(key, stringToSign)).toHex();
  const credential = `${credentials.accessKeyId}/${credentialScope}`;
  const authorization =
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...added, authorization };
}

/** Task 1 of the algorithm: the request in one form only. */
function canonicalRequest(
  { method, url, headers, payloadHash }: SignableRequest,
): { text: string; signedHeaders: string } {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    values.set(key, [...values.get(key) ?? [], value.trim().replace(/\s+/g, " ")]);
  }
  const names = [...values.keys()].sort();
  const signedHeaders = names.join(";");
  const fields = names.map((name) => `${name}:${values.get(name)?.join(",") ?? ""}\n`).join("");
  const query = canonicalQuery(url);
  const text = [method, canonicalPath(url), query, fields, signedHeaders, payloadHash].join("\n");
  return { text, signedHeaders };
}

/** Every service but S3 takes several slashes for one; the URL has no dots left. */
function canonicalPath({ pathname }: URL): string {
  return pathname.replace(/\/{2,}/g, "/").split("/")
    .map((part) => uriEncode(decodeURIComponent(part))).join("/");
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1])) // `Param` before `Param-3`
    .map((pair) => pair.join("="))
    .join("&");
}

/** By code units, which are octets here. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Every octet but the unreserved characters of RFC 3986 2.3 in hexadecimal. */
function uriEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
