import { assert, assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../../src/base/bytes.ts";
import { bytesSource } from "../../../src/mail/mime/source.ts";
import type { Attachment } from "../../../src/relay/http/attachments.ts";
import { type ParsedMessage, parseMessage as parseSource } from "../../../src/relay/http/mime.ts";
import { jobOf, PLAIN, RICH } from "../messages.ts";
import { convertJob } from "../../../src/relay/http/conversion.ts";

function parseMessage(octets: Uint8Array): Promise<ParsedMessage | null> {
  return parseSource(bytesSource(octets));
}

async function contentOf({ content }: Attachment): Promise<Uint8Array> {
  const octets = concatBytes(await Array.fromAsync(content.stream()));
  assertEquals(octets.length, content.lengthBytes);
  return octets;
}

/** Lines of base64 as programs write them. */
function base64Lines(octets: Uint8Array): string {
  return octets.toBase64().replace(/.{76}/g, "$&\r\n");
}

function withFiles(...bodies: string[]): Uint8Array {
  const parts = bodies.map((body, index) =>
    "--b\r\nContent-Type: application/octet-stream\r\n" +
    `Content-Disposition: attachment; filename=f${index}.bin\r\n` +
    `Content-Transfer-Encoding: base64\r\n\r\n${body}\r\n`
  );
  return encodeText(
    "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
      `--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n${parts.join("")}--b--\r\n`,
  );
}

Deno.test("mime: large files are as small ones", async () => {
  const octets = crypto.getRandomValues(new Uint8Array(60_000));
  const large = concatBytes([octets, octets, octets]);
  const message = withFiles(
    base64Lines(large),
    base64Lines(octets.subarray(0, 100)),
    base64Lines(large.subarray(1)),
  );
  const parsed = await parseMessage(message);
  assert(parsed !== null);
  assertEquals(parsed.text, "Hello\n");
  assertEquals(parsed.attachments.map(({ filename }) => filename), ["f0.bin", "f1.bin", "f2.bin"]);
  const [first, second, third] = await Promise.all(parsed.attachments.map(contentOf));
  assertEquals(first, large);
  assertEquals(second, octets.subarray(0, 100));
  assertEquals(third, large.subarray(1));
});

Deno.test("mime: a large file that is not quite base64 is still decoded", async () => {
  const octets = crypto.getRandomValues(new Uint8Array(65_536));
  const parsed = await parseMessage(withFiles(`${base64Lines(octets)}\r\n!trailing!`));
  const [file] = parsed?.attachments ?? [];
  assert(file !== undefined);
  assertEquals((await contentOf(file)).subarray(0, octets.length), octets);
});

Deno.test("mime: names for parts that have none", async () => {
  const message = encodeText(
    "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
      "--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n" +
      "--b\r\nContent-Type: image/png\r\n\r\nx\r\n" +
      "--b\r\nContent-Type: application/x-unheard-of-type\r\n\r\nx\r\n" +
      "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n\r\n--b--\r\n",
  );
  const parsed = await parseMessage(message);
  assertEquals(parsed?.attachments.map(({ filename }) => filename), [
    "part-1.ics",
    "part-2.png",
    "part-3.bin",
    "part-4.eml",
  ]);
});

Deno.test("mime: fields", async () => {
  const parsed = await parseMessage(encodeText(PLAIN));
  assertEquals(parsed?.authors, [{ name: "Jörg Sender", address: "joerg@sender.example" }]);
  assertEquals(parsed?.to, [
    { name: "Doe, Ann", address: "ann@one.example" },
    { name: "", address: "bob@two.example" },
  ]);
  assertEquals(parsed?.messageId, "<m1@sender.example>");
  assertEquals(parsed?.tags, ["invoice"]);
  assertEquals(parsed?.customFields.map(({ name }) => name), ["X-Campaign", "List-Unsubscribe"]);
  const rich = await parseMessage(encodeText(RICH));
  assertEquals(rich?.attachments.map(({ contentId }) => contentId), ["logo@sender.example", null]);
});

Deno.test("mime: a message without an author is its sender's, or left to another transport", async () => {
  const limits = {
    api: "An API",
    maxBytes: 1000,
    refusedFields: /^$/,
    keepsMessageId: true,
    showsInline: true,
    keepsTypeParameters: true,
    maxReplyTo: 1,
    maxTags: 1,
  };
  const recipients = ["a@b.example"];
  for (const from of ["", "From: root\r\n", "From: \r\n", "From: <>\r\n", "From: x@\r\n"]) {
    const converted = await convertJob(jobOf(`${from}Subject: x\r\n\r\n`, { recipients }), limits);
    assert(converted.kind === "converted", from);
    assertEquals(converted.author, { name: "", address: "bounces@sender.example" });
    assert(converted.losses.some(({ kind, what }) => kind === "fields" && what === "From"), from);
  }
  const bounce = jobOf("Subject: x\r\n\r\n", { recipients, reversePath: "" });
  assertEquals((await convertJob(bounce, limits)).kind, "unsuitable");
});

Deno.test("mime: of several texts each is told in both forms, in its order", async () => {
  const part = (type: string, text: string) => `--b\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
  const message = "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
    part("text/plain", "one") + part("text/html", "<p>two</p>") + part("text/plain", "three") +
    "--b--\r\n";
  const parsed = await parseMessage(encodeText(message));
  const places = (text: string | null) =>
    ["one", "two", "three"].map((word) => text?.indexOf(word));
  for (const text of [parsed?.text ?? null, parsed?.html ?? null]) {
    const found = places(text);
    assert(found.every((at) => at !== undefined && at >= 0), String(text));
    assertEquals(found, found.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  }
  assertEquals(parsed?.text?.includes("<p>"), false);
});
