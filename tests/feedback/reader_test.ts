import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import type { ReportParts } from "../../src/feedback/report_reader.ts";
import { readInPieces } from "./corpus.ts";

function report(...parts: readonly string[]): string {
  const body = parts.map((part) => `--b\r\n${part}\r\n`).join("");
  return `Content-Type: multipart/report; boundary=b\r\n\r\n${body}--b--\r\n`;
}

function read(text: string): Promise<ReportParts> {
  return readInPieces(encodeText(text));
}

const part = (type: string, body: string) => `Content-Type: ${type}\r\n\r\n${body}`;

Deno.test("report reader: HTML stands for text that is not there, without its tags", async () => {
  const html = "<p>Dear&lt;you&gt;&amp;all</p>a<br>b<b>c</b> <u@dest.test> 1 < 2";
  const { text } = await read(report(part("text/html", html)));
  assertEquals(text, " Dear<you>&all\na\nb c  <u@dest.test> 1 < 2");
  const both = await read(report(part("text/html", "<p>x"), part("text/plain", "plain")));
  assertEquals(both.text, "plain");
});

const KINDS: readonly (readonly [string, keyof ReportParts])[] = [
  ["message/delivery-status", "deliveryStatus"],
  ["message/global-delivery-status", "deliveryStatus"],
  ["message/feedback-report", "feedbackReport"],
  ["text/rfc822-headers", "returned"],
  ["message/rfc822-headers", "returned"],
  ["message/global", "returned"],
  ["message/global-headers", "returned"],
];

for (const [type, key] of KINDS) {
  Deno.test(`report reader: ${type} is the part ${key}, the first of two`, async () => {
    const parts = await read(report(part(type, "A: one\r\n"), part(type, "A: two\r\n")));
    const found = parts[key];
    const text = found instanceof Uint8Array ? decodeText(found) : found;
    assertEquals(text?.trim().split("\r\n")[0], "A: one");
  });
}

Deno.test("report reader: of a returned message the header is kept", async () => {
  const returned = "Received: x\r\nSubject: y\r\n\r\nBody\r\n";
  const parts = await read(report(part("message/rfc822", returned)));
  assertEquals(parts.returned && decodeText(parts.returned).trimEnd(), "Received: x\r\nSubject: y");
  assertEquals(decodeText(parts.header).startsWith("Content-Type: multipart/report"), true);
});

Deno.test("report reader: a part is read in its encoding, and in Latin-1 where it is no UTF-8", async () => {
  const encoded = "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
    btoa("No such user");
  assertEquals((await read(report(encoded))).text, "No such user");
  const octets = encodeText(report(part("text/plain", "caf?")));
  octets[octets.indexOf(0x3f, 60)] = 0xe9;
  assertEquals((await readInPieces(octets)).text, "café");
});

const LIMITS: readonly (readonly [string, keyof ReportParts, number])[] = [
  ["text/plain", "text", 65_536],
  ["text/html", "text", 65_536],
  ["message/feedback-report", "feedbackReport", 65_536],
  ["message/delivery-status", "deliveryStatus", 524_288],
  ["text/rfc822-headers", "returned", 65_536],
];

for (const [type, key, limit] of LIMITS) {
  Deno.test(`report reader: of ${type} ${limit} octets are kept, whatever the pieces`, async () => {
    const octets = encodeText(report(part(type, "x".repeat(limit + 5_000))));
    for (const size of [octets.length, 1_000]) {
      assertEquals((await readInPieces(octets, size))[key]?.length, limit);
    }
  });
}

Deno.test("report reader: what follows a long text is still read, unless the text is all", async () => {
  const status = "Action: failed\r\n";
  const parts = await read(
    report(part("text/plain", "x".repeat(100_000)), part("message/delivery-status", status)),
  );
  assertEquals(parts.deliveryStatus?.trim(), "Action: failed");
  const single = await read(`Subject: x\r\n\r\n${"y".repeat(100_000)}`);
  assertEquals(single.text.length, 65_536);
});
