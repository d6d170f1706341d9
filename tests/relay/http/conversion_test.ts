/** What an API cannot carry of a message, limit by limit. */
import { assertEquals } from "@std/assert";
import { decodeEncodedWords } from "../../../src/mail/encoded_word.ts";
import { type ConversionLimits, convertJob } from "../../../src/relay/http/conversion.ts";
import { sampleJob } from "../../support/delivery_jobs.ts";

const ALL: ConversionLimits = {
  ...{ api: "Test", maxBytes: 1_000_000, refusedFields: /^$/, keepsMessageId: true },
  ...{ showsInline: true, keepsTypeParameters: true, maxReplyTo: 9, maxTags: 9 },
};
const MESSAGE = [
  "From: Ann <ann@origin.example>",
  "Sender: bot@origin.example",
  "To: rcpt@dest.example",
  "Reply-To: a@origin.example, b@origin.example",
  "Message-ID: <1@origin.example>",
  "X-Own: yes",
  "X-Bad: no",
  "Subject: s",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="m"',
  "",
  "--m",
  "Content-Type: text/plain",
  "",
  "Hello",
  "--m",
  'Content-Type: text/csv; charset=iso-8859-7; name="t.csv"',
  "Content-Disposition: attachment; filename=t.csv",
  "",
  "a,b",
  "--m",
  "Content-Type: image/png",
  "Content-Disposition: attachment; filename=empty.png",
  "",
  "",
  "--m--",
  "",
].join("\r\n");

/** The losses of a message, in the order in which they are told. */
async function lossesWith(limits: Partial<ConversionLimits>): Promise<string[]> {
  const converted = await convertJob(sampleJob({ body: MESSAGE }), { ...ALL, ...limits });
  if (converted.kind !== "converted") throw new Error(converted.reply.lines.join());
  return converted.losses.map(({ kind, what }) => `${kind} ${what}`);
}

const ALWAYS = ["fields Sender", "structure empty file empty.png"];

Deno.test("each limit of an API costs what it says, in one order", async () => {
  assertEquals(await lossesWith({}), ALWAYS);
  assertEquals(await lossesWith({ keepsMessageId: false }), ["fields Message-ID", ...ALWAYS]);
  assertEquals(await lossesWith({ maxReplyTo: 1 }), ["fields Reply-To", ...ALWAYS]);
  assertEquals(await lossesWith({ maxReplyTo: 2 }), ALWAYS);
  assertEquals(await lossesWith({ refusedFields: /^x-bad$/ }), ["fields X-Bad", ...ALWAYS]);
  assertEquals(await lossesWith({ keepsTypeParameters: false }), [
    ...ALWAYS,
    "charset iso-8859-7 of t.csv",
  ]);
  assertEquals(await lossesWith({ keepsMessageId: false, maxReplyTo: 1, refusedFields: /^x-/ }), [
    ...["fields X-Own", "fields X-Bad", "fields Message-ID", "fields Reply-To"],
    ...ALWAYS,
  ]);
});

Deno.test("fields are told on one line and in ASCII", async () => {
  const name = "é".repeat(30);
  const body = "From: a@b.example\r\nReferences: <1@a>\r\n\t<2@a>\r\nX-Long: " + name + "\r\n" +
    "Disposition-Notification-To: Jörg <a@b.example>\r\nX-Word: =?utf-8?Q?=C3=A9?=\r\n" +
    "In-Reply-To: <é@a>\r\n\r\nx\r\n";
  const converted = await convertJob(sampleJob({ body }), ALL);
  if (converted.kind !== "converted") throw new Error(converted.reply.lines.join());
  const { "X-Long": long = "", ...headers } = converted.headers;
  assertEquals(headers, {
    "References": "<1@a> <2@a>",
    "Disposition-Notification-To": "=?utf-8?B?SsO2cmc=?= <a@b.example>",
    "X-Word": "=?utf-8?Q?=C3=A9?=",
    "In-Reply-To": "<é@a>",
  });
  assertEquals([decodeEncodedWords(long), /^[ -~]*$/.test(long)], [name, true]);
});

Deno.test("what has no text has a space, no subject says so, and no author is the sender", async () => {
  const of = async (body: string, reversePath = "sender@origin.example") => {
    const converted = await convertJob(sampleJob({ body, message: { reversePath } }), ALL);
    if (converted.kind === "unsuitable") return converted.reply.lines;
    const { author, subject, text, html, messageId } = converted;
    return [author.address, subject, text, html, messageId];
  };
  assertEquals(await of("X: y\r\n\r\n"), [
    ...["sender@origin.example", "(no subject)", " ", null],
    "<01J00000000000AA@origin.example>",
  ]);
  assertEquals(await of("X: y\r\n\r\n", ""), ["The message has no author"]);
  assertEquals(
    await of("From: a@b.example\r\nContent-Type: text/html\r\nSubject: s\r\n\r\n<p>x</p>\r\n"),
    ["a@b.example", "s", null, "<p>x</p>\n", "<01J00000000000AA@b.example>"],
  );
});
