import { assert, assertEquals } from "@std/assert";
import { messagePage, messageText } from "../../src/admin/content/message_page.ts";
import { Buffer } from "node:buffer";
import { TEXT_LIMIT_BYTES } from "../../src/mail/mime/arrange.ts";
import { bytesSource } from "../../src/mail/mime/source.ts";
import { ParameterField } from "../../src/mail/mime/parameters.ts";
import { type MessageContent, takeApart } from "../../src/admin/content/read.ts";
import { concatBytes, decodeText, encodeText } from "../../src/base/bytes.ts";

async function contentOf(...lines: readonly string[]): Promise<MessageContent> {
  const result = await takeApart(bytesSource(encodeText(lines.join("\r\n"))));
  assert(result.kind === "ok");
  return result.content;
}

async function textOf(...lines: readonly string[]): Promise<string> {
  return messageText(await contentOf(...lines)).text;
}

async function filesOf({ parts }: MessageContent): Promise<string[][]> {
  return await Array.fromAsync(parts, async ({ filename, sizeBytes, stream }) => {
    const octets = concatBytes(await Array.fromAsync(stream()));
    assertEquals(octets.length, sizeBytes);
    return [filename, decodeText(octets)];
  });
}

const PARAMETERS: readonly (readonly [value: string, name: string, expected: string])[] = [
  ["text/plain; charset=utf-8", "charset", "utf-8"],
  ['text/plain; CharSet="utf-8" ; x=y', "charset", "utf-8"],
  ['a; filename="with \\"quotes\\" and ; in it"', "filename", 'with "quotes" and ; in it'],
  ["a; filename*=utf-8''%E2%82%AC%20rates", "filename", "€ rates"],
  ["a; filename*=iso-8859-1'en'%A3%20rates", "filename", "£ rates"],
  [
    `a; filename*0*=utf-8''%E2%82%AC; filename*1=" plain %41"; filename*2*=%42`,
    "filename",
    "€ plain %41B",
  ],
  ['a; filename="=?utf-8?Q?=E2=82=AC?="', "filename", "€"],
  ["a; name*1=b; name*0=a", "name", "ab"],
  ["a; filename*=broken%zz", "filename", "broken%zz"],
  ["a; filename=first; filename=second", "filename", "first"],
];

Deno.test("parameters are read in all their forms", () => {
  for (const [value, name, expected] of PARAMETERS) {
    const octets = Buffer.from(value).toString("latin1");
    assertEquals(new ParameterField(octets).text(name), expected, value);
  }
});

Deno.test("quoted-printable is decoded, and what is malformed in it stays", async () => {
  const text = async (body: string) =>
    (await textOf("Content-Transfer-Encoding: Quoted-Printable", "", body)).trimEnd();
  assertEquals(await text("=E2=82=AC 5"), "€ 5");
  assertEquals(await text("soft=\r\n break =  \r\nagain"), "soft break again");
  assertEquals(await text("a=b =3"), "a=b =3");
  assertEquals(await text("end="), "end");
  assertEquals(await text("=3d=3D"), "==");
});

Deno.test("base64 is decoded, whatever its lines look like", async () => {
  const encoded = btoa("Hello, world").replace(/(.{5})/g, "$1\r\n ");
  assertEquals(await textOf("Content-Transfer-Encoding: base64", "", encoded), "Hello, world");
});

Deno.test("charsets are decoded, unknown ones as well as can be", async () => {
  const latin = new Uint8Array([
    ...encodeText("Content-Type: text/plain; charset=x-odd\r\n\r\n"),
    0xe9,
  ]);
  const result = await takeApart(bytesSource(latin));
  assert(result.kind === "ok");
  assertEquals(messageText(result.content).text, "é");
  const koi8 = "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64";
  assertEquals(await textOf(koi8, "", "8NLJ18XU"), "Привет");
});

Deno.test("of alternatives each way of showing takes its own", async () => {
  const content = await contentOf(
    "Content-Type: multipart/alternative; boundary=b",
    "",
    "preamble",
    "--b",
    "",
    "plain",
    "--b",
    "Content-Type: text/html",
    "",
    "<p>rich</p>",
    "--b--",
    "epilogue",
  );
  assertEquals(content.plain, [{ kind: "text", text: "plain" }]);
  assertEquals(content.rich, [{ kind: "html", text: "<p>rich</p>" }]);
  assertEquals(await filesOf(content), [
    ["preamble.txt", "preamble"],
    ["epilogue.txt", "epilogue"],
  ]);
});

Deno.test("text in several parts is shown in their order, files are listed", async () => {
  const content = await contentOf(
    'Content-Type: multipart/mixed; boundary="b b"',
    "",
    "--b b",
    "",
    "one",
    "--b b  ",
    "Content-Type: text/plain; name=notes.txt",
    "",
    "a file",
    "--b b",
    "Content-Type: text/html",
    "",
    "<b>two</b>",
    "--b bbb",
    "--b b--",
  );
  assertEquals(content.rich.map(({ text }) => text), ["one", "<b>two</b>\n--b bbb"]);
  assertEquals(messageText(content).text, "one\ntwo\n--b bbb");
  assertEquals(await filesOf(content), [
    ["notes.txt", "a file"],
  ]);
});

Deno.test("an attached message is a file of its own", async () => {
  const inner = "Subject: inner\r\n\r\nhello\r\n";
  const content = await contentOf(
    "Content-Type: multipart/digest; boundary=b",
    "",
    "--b",
    "",
    inner,
    "--b--",
  );
  const [part] = content.parts;
  assertEquals([part?.mediaType, part?.filename], ["message/rfc822", "part-1.eml"]);
  assertEquals(await filesOf(content), [["part-1.eml", inner]]);
});

Deno.test("a multipart whose end is missing keeps its last part", async () => {
  const content = await contentOf(
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "",
    "last",
  );
  assertEquals(content.plain, [{ kind: "text", text: "last" }]);
});

Deno.test("text that is too much for the memory is a file", async () => {
  const large = "x".repeat(TEXT_LIMIT_BYTES - 10);
  const content = await contentOf(
    ...["Content-Type: multipart/mixed; boundary=b", "", "--b", "", large],
    ...["--b", "", "and more text", "--b", "", "a word", "--b--"],
  );
  assertEquals(content.plain.map(({ text }) => text.length), [large.length, 6]);
  assertEquals(await filesOf(content), [["part-1.txt", "and more text"]]);
});

Deno.test("a picture is shown as often as the page has room for it", async () => {
  const mention = '<img src="cid:a@b">';
  const content = await contentOf(
    ...["Content-Type: multipart/related; boundary=b", "", "--b", "Content-Type: text/html", ""],
    ...[mention.repeat(5), "--b", "Content-Type: image/png", "Content-ID: <a@b>", ""],
    ...["p".repeat(1_000_000), "--b--"],
  );
  const page = await messagePage(content);
  assertEquals(page?.html.split("data:image/png;base64,").length, 5);
  assertEquals(page?.blocked, 1);
});
