import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { isSignedWith, readClaim, type SignedRequest } from "../../../src/ingress/compat/sigv4.ts";

/** `get-vanilla` of AWS's published test suite of Signature Version 4. */
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const AUTHORIZATION = "AWS4-HMAC-SHA256 " +
  "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
  "SignedHeaders=host;x-amz-date, " +
  "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const SIGNED_AT_MS = Date.UTC(2015, 7, 30, 12, 36);

function vanilla(
  { date = "20150830T123600Z", url = "https://example.amazonaws.com/", body = "", method = "GET" } =
    {},
): SignedRequest {
  const headers = new Headers({ host: "example.amazonaws.com", "x-amz-date": date });
  return { method, headers, url: new URL(url), body: new TextEncoder().encode(body) };
}

function isGood(
  request: SignedRequest,
  { authorization = AUTHORIZATION, secret = SECRET, nowMs = SIGNED_AT_MS } = {},
): boolean {
  const claim = readClaim(authorization);
  assert(claim !== null);
  return isSignedWith(secret, { request, claim, nowMs });
}

Deno.test("sigv4: AWS's own example is good", () => {
  assertEquals(isGood(vanilla()), true);
});

Deno.test("sigv4: nothing of a signed request may be different", () => {
  assertEquals(isGood(vanilla({ body: "x" })), false);
  assertEquals(isGood(vanilla({ method: "POST" })), false);
  assertEquals(isGood(vanilla({ url: "https://example.amazonaws.com/other" })), false);
  assertEquals(isGood(vanilla({ url: "https://example.amazonaws.com/?a=b" })), false);
  assertEquals(isGood(vanilla({ date: "20150830T123601Z" })), false);
  assertEquals(isGood(vanilla(), { secret: "another" }), false);
  assertEquals(isGood(vanilla(), { secret: "" }), false);
});

Deno.test("sigv4: a signature is good for a quarter of an hour", () => {
  const quarterMs = 15 * 60_000;
  assertEquals(isGood(vanilla(), { nowMs: SIGNED_AT_MS + quarterMs }), true);
  assertEquals(isGood(vanilla(), { nowMs: SIGNED_AT_MS + quarterMs + 1 }), false);
  assertEquals(isGood(vanilla(), { nowMs: SIGNED_AT_MS - quarterMs - 1 }), false);
});

Deno.test("sigv4: the time of a request counts to the second", () => {
  const date = "20150830T123430Z";
  const signed = signedAt(date);
  const atMs = Date.UTC(2015, 7, 30, 12, 34, 30);
  const quarterMs = 15 * 60_000;
  assertEquals(isGood(vanilla({ date }), { authorization: signed, nowMs: atMs + quarterMs }), true);
  assertEquals(
    isGood(vanilla({ date }), { authorization: signed, nowMs: atMs + quarterMs + 1 }),
    false,
  );
  assertEquals(isGood(vanilla({ date }), { authorization: signed, nowMs: atMs - quarterMs }), true);
  assertEquals(
    isGood(vanilla({ date }), { authorization: signed, nowMs: atMs - quarterMs - 1 }),
    false,
  );
});

Deno.test("sigv4: paths and queries are signed as AWS writes them", () => {
  const date = "20150830T123600Z";
  for (
    const [url, path, query] of [
      ["https://example.amazonaws.com/a%20b/(c)", "/a%2520b/%28c%29", ""],
      ["https://example.amazonaws.com/?b=2&a=x%20y!", "/", "a=x%20y%21&b=2"],
    ] as const
  ) {
    const authorization = signedAt(date, { path, query });
    assertEquals(isGood(vanilla({ date, url }), { authorization }), true, url);
  }
});

/** A claim over `vanilla`, signed here. */
function signedAt(date: string, { path = "/", query = "" } = {}): string {
  const sha256 = (data: string) => createHash("sha256").update(data).digest("hex");
  const scope = "20150830/us-east-1/service/aws4_request";
  const fields = `host:example.amazonaws.com\nx-amz-date:${date}\n`;
  const canonical = ["GET", path, query, fields, "host;x-amz-date", sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const signature = [...scope.split("/"), text].reduce<Buffer>(
    (key, step) => createHmac("sha256", key).update(step).digest(),
    Buffer.from(`AWS4${SECRET}`),
  ).toString("hex");
  return AUTHORIZATION.replace(/[0-9a-f]{64}$/, signature);
}

Deno.test("sigv4: host and time have to be signed", () => {
  for (const headers of ["host", "x-amz-date"]) {
    const authorization = AUTHORIZATION.replace("host;x-amz-date", headers);
    assertEquals(isGood(vanilla(), { authorization }), false);
  }
});

Deno.test("sigv4: what is no claim is none", () => {
  for (const text of ["", "Bearer x", AUTHORIZATION.slice(0, -1), `${AUTHORIZATION}0`]) {
    assertEquals(readClaim(text), null);
  }
});
