import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { TEXT_LIMIT_BYTES } from "../../../src/mail/mime/arrange.ts";
import { bytesSource } from "../../../src/mail/mime/source.ts";
import { conversionLoss } from "../../../src/relay/http/loss.ts";
import { parseMessage } from "../../../src/relay/http/mime.ts";
import { INVITATION, LATIN1, PLAIN, REPORT, RICH, SIGNED, UTF8 } from "../messages.ts";

async function lossesOf(message: string | Uint8Array): Promise<string[]> {
  const raw = typeof message === "string" ? encodeText(message) : message;
  const parsed = await parseMessage(bytesSource(raw));
  if (parsed === null) return ["cannot be parsed"];
  return conversionLoss(parsed, { isStandIn: false }).map(({ kind, what }) => `${kind} ${what}`);
}

/** A message with these parts in a multipart of a subtype. */
function multipart(subtype: string, ...parts: string[]): string {
  const inner = parts.map((part) => `--b\r\n${part}\r\n`).join("");
  return `From: a@b.example\r\nContent-Type: multipart/${subtype}; boundary=b\r\n\r\n${inner}--b--\r\n`;
}

const TEXT = "Content-Type: text/plain\r\n\r\nText";
const HTML = "Content-Type: text/html\r\n\r\n<p>Text</p>";

Deno.test("loss: what ordinary messages lose is nothing", async () => {
  assertEquals(await lossesOf(PLAIN), []);
  assertEquals(await lossesOf(RICH), []);
  assertEquals(await lossesOf(UTF8), []);
  assertEquals(await lossesOf(LATIN1), []);
  assertEquals(await lossesOf(multipart("alternative", TEXT, HTML)), []);
});

Deno.test("loss: signatures, calendars, reports", async () => {
  assertEquals(await lossesOf(SIGNED), [
    "signature DKIM-Signature",
    "signature multipart/signed",
  ]);
  assertEquals(await lossesOf(INVITATION), ["alternative text/calendar"]);
  assertEquals(await lossesOf(REPORT), [
    "structure multipart/report",
    "structure message/delivery-status",
    "structure message/rfc822",
  ]);
});

Deno.test("loss: unusual trees", async () => {
  const rows: readonly [string, string[]][] = [
    [multipart("mixed", TEXT, "Content-Type: text/plain\r\n\r\nA list's footer"), [
      "structure text/plain",
    ]],
    [multipart("mixed", TEXT, "Content-Type: text/plain; name=a.txt\r\n\r\nA file"), []],
    [multipart("parallel", TEXT, HTML), ["structure multipart/parallel", "structure text/plain"]],
    [multipart("digest", "\r\nFrom: x@y.example\r\n\r\nText"), ["structure multipart/digest"]],
    [
      multipart("alternative", TEXT, HTML, "Content-Type: text/x-amp-html\r\n\r\n<html amp>"),
      ["alternative text/x-amp-html"],
    ],
    [
      multipart(
        "mixed",
        'Content-Type: multipart/mixed; boundary="c"\r\n\r\n--c\r\n\r\nText\r\n--c--',
      ),
      ["structure multipart/mixed"],
    ],
    [
      multipart("encrypted", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"),
      ["signature multipart/encrypted"],
    ],
  ];
  for (const [message, expected] of rows) assertEquals(await lossesOf(message), expected, message);
});

Deno.test("loss: text that is too long to be held is a file, and that is noted", async () => {
  const line = `${"x".repeat(76)}\r\n`;
  const long = `From: a@b.example\r\n\r\n${line.repeat(TEXT_LIMIT_BYTES / line.length + 1)}`;
  assertEquals(await lossesOf(long), ["structure text/plain"]);
});

Deno.test("loss: charsets and fields", async () => {
  const rows: readonly [string, string[]][] = [
    ["From: a@b.example\r\nContent-Type: text/plain; charset=x-klingon\r\n\r\nText\r\n", [
      "charset x-klingon",
    ]],
    ["From: a@b.example\r\nContent-Type: text/plain; charset=shift_jis\r\n\r\nText\r\n", []],
    ["From: a@b.example\r\nX-A: 1\r\nX-A: 2\r\n\r\nText\r\n", ["fields X-A"]],
    ["From: a@b.example, c@d.example\r\n\r\nText\r\n", ["fields From"]],
  ];
  for (const [message, expected] of rows) assertEquals(await lossesOf(message), expected, message);
  const malformed = encodeText(
    "From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\0",
  );
  malformed[malformed.length - 1] = 0xff;
  assertEquals(await lossesOf(malformed), ["charset text"]);
});

Deno.test("loss: messages made to be taken apart wrongly", async () => {
  const deep = Array.from(
    { length: 600 },
    (_, depth) => `Content-Type: multipart/mixed; boundary=b${depth}\r\n\r\n--b${depth}\r\n`,
  ).join("");
  assertEquals(await lossesOf(`From: a@b.example\r\n${deep}`), ["cannot be parsed"]);
  const unfinished =
    "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" +
    TEXT;
  assertEquals(await lossesOf(unfinished), []);
  assertEquals(await lossesOf(""), ["fields From"]);
});
