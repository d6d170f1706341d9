import { assert, assertEquals } from "@std/assert";
import { messageText } from "../../src/admin/content/message_page.ts";
import { parseParameters } from "../../src/admin/content/parameters.ts";
import { type MessageContent, takeApart } from "../../src/admin/content/read.ts";
import { decodeText, encodeText } from "../../src/base/bytes.ts";

function contentOf(...lines: readonly string[]): MessageContent {
  const result = takeApart(encodeText(lines.join("\r\n")));
  assert(result.kind === "ok");
  return result.content;
}

function textOf(...lines: readonly string[]): string {
  return messageText(contentOf(...lines)).text;
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
    assertEquals(parseParameters(value).parameters.get(name), expected, value);
  }
});

Deno.test("quoted-printable is decoded, and what is malformed in it stays", () => {
  const text = (body: string) =>
    textOf("Content-Transfer-Encoding: Quoted-Printable", "", body).trimEnd();
  assertEquals(text("=E2=82=AC 5"), "€ 5");
  assertEquals(text("soft=\r\n break =  \r\nagain"), "soft break again");
  assertEquals(text("a=b =3"), "a=b =3");
  assertEquals(text("end="), "end");
  assertEquals(text("=3d=3D"), "==");
});

Deno.test("base64 is decoded, whatever its lines look like", () => {
  const encoded = btoa("Hello, world").replace(/(.{5})/g, "$1\r\n ");
  assertEquals(textOf("Content-Transfer-Encoding: base64", "", encoded), "Hello, world");
});

Deno.test("charsets are decoded, unknown ones as well as can be", () => {
  const latin = new Uint8Array([
    ...encodeText("Content-Type: text/plain; charset=x-odd\r\n\r\n"),
    0xe9,
  ]);
  const result = takeApart(latin);
  assert(result.kind === "ok");
  assertEquals(messageText(result.content).text, "é");
  const koi8 = "Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64";
  assertEquals(textOf(koi8, "", "8NLJ18XU"), "Привет");
});

Deno.test("of alternatives each way of showing takes its own", () => {
  const content = contentOf(
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
  assertEquals(content.parts, []);
});

Deno.test("text in several parts is shown in their order, files are listed", () => {
  const content = contentOf(
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
  assertEquals(content.parts.map(({ filename, bytes }) => [filename, decodeText(bytes)]), [
    ["notes.txt", "a file"],
  ]);
});

Deno.test("an attached message is a file of its own", () => {
  const inner = "Subject: inner\r\n\r\nhello\r\n";
  const content = contentOf(
    "Content-Type: multipart/digest; boundary=b",
    "",
    "--b",
    "",
    inner,
    "--b--",
  );
  const [part] = content.parts;
  assertEquals([part?.mediaType, part?.filename], ["message/rfc822", "part-1.eml"]);
  assertEquals(decodeText(part?.bytes ?? new Uint8Array()), inner);
});

Deno.test("a multipart whose end is missing keeps its last part", () => {
  const content = contentOf("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "last");
  assertEquals(content.plain, [{ kind: "text", text: "last" }]);
});
