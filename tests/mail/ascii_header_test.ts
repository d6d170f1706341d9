import { assertEquals } from "@std/assert";
import { concatBytes, decodeLatin1, encodeText } from "../../src/base/bytes.ts";
import { asciiHeader } from "../../src/mail/ascii_header.ts";
import { havePeer, runPeer } from "../support/peers.ts";

const LATIN1 = Uint8Array.of(0xe9, 0x20, 0xe8);

function ascii(header: string | Uint8Array): string | null {
  const result = asciiHeader(typeof header === "string" ? encodeText(header) : header);
  return result === null ? null : decodeLatin1(result);
}

const word = (text: string): string => `=?utf-8?B?${encodeText(text).toBase64()}?=`;

const CASES: readonly [name: string, header: string, ascii: string | null][] = [
  ["ASCII", "Subject: a\r\n\r\n", "Subject: a\r\n\r\n"],
  [
    "words in text",
    "Subject: Die  Grüße an alle\r\n\r\n",
    `Subject: Die  ${word("Grüße")} an alle\r\n\r\n`,
  ],
  ["neighbours", "Subject: é  è b\r\n\r\n", `Subject: ${word("é  è")} b\r\n\r\n`],
  ["folded neighbours", "X-Note: é\r\n è\r\n", `X-Note: ${word("é è")}\r\n`],
  [
    "other fields stay",
    "A: 1\r\nSubject: é\r\nB:2\r\n 3\r\n\r\n",
    `A: 1\r\nSubject: ${word("é")}\r\nB:2\r\n 3\r\n\r\n`,
  ],
  ["a name", "From: Zoë Q <z@a.example>\r\n", `From: ${word("Zoë")} Q <z@a.example>\r\n`],
  [
    "a quoted name",
    `To: "Zoë \\"Q\\"" <z@a.example>\r\n`,
    `To: ${word('Zoë "Q"')} <z@a.example>\r\n`,
  ],
  [
    "no space",
    `To: "Zoë"<z@a.example>, é<b@a.example>\r\n`,
    `To: ${word("Zoë")} <z@a.example>, ${word("é")} <b@a.example>\r\n`,
  ],
  ["a comment", "Cc: z@a.example (Zoë)\r\n", `Cc: z@a.example (${word("Zoë")})\r\n`],
  ["an address", "From: zoë@a.example\r\n", null],
  ["an address in brackets", "From: Z <ä@a.example>\r\n", null],
  [
    "domains",
    "From: Z <z@ä.example>\r\nTo: y@ä.example, x@b.example\r\n",
    "From: Z <z@xn--4ca.example>\r\nTo: y@xn--4ca.example, x@b.example\r\n",
  ],
  [
    "words beside those that are encoded already",
    "Subject: =?utf-8?Q?a?= é =?utf-8?Q?b?= c\r\n",
    `Subject: =?utf-8?Q?a?= ${word(" é ")} =?utf-8?Q?b?= c\r\n`,
  ],
  ["a list", "List-Id: é <l.example>\r\n", `List-Id: ${word("é")} <l.example>\r\n`],
  ["an identifier", "Message-ID: <é@a.example>\r\n", null],
  [
    "a parameter",
    `Content-Disposition: attachment; size=1; filename="Größe 1.pdf"; x=y\r\n`,
    `Content-Disposition: attachment; size=1;\r\n filename*=utf-8''Gr%C3%B6%C3%9Fe%201.pdf; x=y\r\n`,
  ],
  ["a type", "Content-Type: text/plaín\r\n", null],
  ["a parameter that is encoded already", "Content-Type: x/y; name*=é\r\n", null],
  [
    "a parameter too long for a line",
    `Content-Type: x/y; n=${"é".repeat(25)}\r\n`,
    `Content-Type: x/y;\r\n n*0*=utf-8''${"%C3%A9".repeat(10)};\r\n n*1*=${"%C3%A9".repeat(10)};` +
    `\r\n n*2*=${"%C3%A9".repeat(5)}\r\n`,
  ],
];

for (const [name, header, expected] of CASES) {
  Deno.test(`a header section in ASCII: ${name}`, () => assertEquals(ascii(header), expected));
}

Deno.test("a header section in ASCII: long text in words that are short enough", () => {
  const text = "äöü€𝄞".repeat(20);
  const [, value = ""] = ascii(`Subject: ${text}\r\n`)?.split(": ") ?? [];
  const words = value.trimEnd().split("\r\n ");
  assertEquals(words.every((part) => /^=\?utf-8\?B\?[\w+/=]+\?=$/.test(part)), true);
  assertEquals(words.every(({ length }) => length <= 75), true);
  const decode = (part: string) => Uint8Array.fromBase64(part.slice(10, -2));
  assertEquals(
    words.map((part) => new TextDecoder("utf-8", { fatal: true }).decode(decode(part))).join(""),
    text,
  );
});

Deno.test("a header section in ASCII: octets of an unknown charset keep their values", () => {
  const header = concatBytes([encodeText("Subject: "), LATIN1, encodeText("\r\n")]);
  assertEquals(ascii(header), `Subject: =?unknown-8bit?B?${LATIN1.toBase64()}?=\r\n`);
});

Deno.test("a header section in ASCII: what nobody closed takes no time", () => {
  for (const unit of ["a", '"\\', "<", "(", ";a=", '"\\"', "; ", "é ", "( "]) {
    const value = unit.repeat(200_000 / unit.length);
    for (const name of ["To", "Subject", "Content-Type"]) ascii(`${name}: é ${value}\\\r\n`);
  }
});

const SCRIPT = `
import email, email.policy, json, sys
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps([m["Subject"], m["From"], m["To"].addresses[0].display_name, m.get_filename()]))
`;

Deno.test({
  name: "a header section in ASCII reads as it was meant (needs python3)",
  ignore: !havePeer("python3"),
  async fn() {
    const subject = "Grüße aus 東京 und " + "é".repeat(60);
    const made = ascii(
      `Subject: ${subject}\r\nFrom: Zoë <z@a.example>\r\nTo: "Ü, Y" <u@a.example>\r\n` +
        `Content-Disposition: attachment; filename="ß's.pdf"\r\n\r\n`,
    );
    const { stdout } = await runPeer("python3", { args: ["-c", SCRIPT], stdin: made ?? "" });
    assertEquals(JSON.parse(stdout), [subject, "Zoë <z@a.example>", "Ü, Y", "ß's.pdf"]);
  },
});
