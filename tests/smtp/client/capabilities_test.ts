import { assertEquals } from "@std/assert";
import { NO_CAPABILITIES, parseCapabilities } from "../../../src/smtp/client/capabilities.ts";

function parse(...keywords: string[]) {
  return parseCapabilities({ code: 250, lines: ["mx.example greets you", ...keywords] });
}

Deno.test("a server's extensions are read from its EHLO reply", () => {
  const { keywords, auth, limits, maxSizeBytes, ...flags } = parse(
    ...["PIPELINING", "SIZE 10240000", "8BITMIME", "SMTPUTF8", "DSN", "STARTTLS"],
    ...["CHUNKING", "BINARYMIME", "AUTH plain  Login"],
  );
  assertEquals(keywords.get("SIZE"), "10240000");
  assertEquals(maxSizeBytes, 10_240_000);
  assertEquals(auth, ["PLAIN", "LOGIN"]);
  assertEquals(limits, { mailMax: Infinity, rcptMax: Infinity, rcptDomainMax: Infinity });
  assertEquals(flags, {
    startTls: true,
    pipelining: true,
    eightBitMime: true,
    chunking: true,
    binaryMime: true,
    smtpUtf8: true,
    dsn: true,
    size: true,
  });
});

Deno.test("binary messages need chunks to go in", () => {
  assertEquals(parse("BINARYMIME").binaryMime, false);
});

Deno.test("limits of a session are read", () => {
  assertEquals(parse("LIMITS RCPTMAX=20 mailmax=5 OTHER=x").limits, {
    mailMax: 5,
    rcptMax: 20,
    rcptDomainMax: Infinity,
  });
  assertEquals(parse("LIMITS RCPTDOMAINMAX=1").limits.rcptDomainMax, 1);
  assertEquals(parse("LIMITS MAILMAX=0 XRCPTMAX=1").limits, parse("LIMITS").limits);
});

Deno.test("a server's greeting line is no keyword", () => {
  const capabilities = parseCapabilities({ code: 250, lines: ["PIPELINING"] });
  assertEquals(capabilities, NO_CAPABILITIES);
});

const SIZES: readonly [keyword: string, maxSizeBytes: number | null][] = [
  ["SIZE", null],
  ["SIZE 0", null],
  ["SIZE 35882577", 35_882_577],
  ["size 7", 7],
  ["SIZE -1", null],
  ["SIZE lots", null],
  ["SIZE 12 34", null],
];

for (const [keyword, maxSizeBytes] of SIZES) {
  Deno.test(`"${keyword}" announces a limit of ${maxSizeBytes}`, () => {
    const capabilities = parse(keyword);
    assertEquals(capabilities.size, true);
    assertEquals(capabilities.maxSizeBytes, maxSizeBytes);
  });
}

Deno.test("mechanisms are read from both forms of AUTH", () => {
  assertEquals(parse("AUTH PLAIN LOGIN").keywords.get("AUTH"), "PLAIN LOGIN");
  assertEquals(parse("AUTH=PLAIN").keywords.get("AUTH"), "PLAIN");
  assertEquals(parse("AUTH PLAIN", "AUTH=LOGIN").keywords.get("AUTH"), "PLAIN LOGIN");
});

Deno.test("lines that are no keywords are passed over", () => {
  assertEquals([...parse("", "!?", "8BITMIME ", "X-OK").keywords.keys()], ["8BITMIME", "X-OK"]);
});
