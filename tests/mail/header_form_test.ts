import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { readHeader } from "../../src/mail/headers.ts";
import { isInLines, messageInOneForm, withoutBcc } from "../../src/mail/header_form.ts";

const FORMS: readonly [message: string, stored: string][] = [
  ["From: a@b.example\r\n\r\nbody\r\n", "From: a@b.example\r\n\r\nbody\r\n"],
  ["From: a@b.example\r\n", "From: a@b.example\r\n"],
  ["\r\nbody\r\n", "\r\nbody\r\n"],
  ["", ""],
  [" \r\nFrom: a@b.example\r\n\r\n", "\r\n \r\nFrom: a@b.example\r\n\r\n"],
  [
    "From someone Mon Jan 1\r\nFrom: a@b.example\r\n\r\nbody\r\n",
    "From: a@b.example\r\n\r\nbody\r\n",
  ],
  ["\ufeffFrom: a@b.example\r\n\r\nbody\r\n", "From: a@b.example\r\n\r\nbody\r\n"],
  ["\ufeffFrom b Mon Jan 1\r\nTo : c@d.example\r\n", "To: c@d.example\r\n"],
  ["\ufeffbody\r\n", "\r\n\ufeffbody\r\n"],
  ["X-A: 1\r\n>From b Mon Jan 1\r\nTo: c@d.example\r\n", "X-A: 1\r\nTo: c@d.example\r\n"],
  ["To: c@d.example\r\nFrom here on\r\n", "To: c@d.example\r\n\r\nFrom here on\r\n"],
  ["A: 1\r\nno field\r\nFrom: a@b.example\r\n", "A: 1\r\n\r\nno field\r\nFrom: a@b.example\r\n"],
  ["A: 1\r\n: 2\r\n", "A: 1\r\n\r\n: 2\r\n"],
  ["A: 1\r\nno field", "A: 1\r\n\r\nno field"],
  ["From \t: a@b.example\r\nB : 2\r\n\r\nC : 3\r\n", "From: a@b.example\r\nB: 2\r\n\r\nC : 3\r\n"],
];

for (const [message, stored] of FORMS) {
  Deno.test(`header form: ${JSON.stringify(message)}`, () => {
    const formed = messageInOneForm(encodeText(message));
    assertEquals(formed, encodeText(stored));
    assertEquals(messageInOneForm(formed), formed);
  });
}

Deno.test("isInLines finds what is no line of mail", () => {
  const cases: readonly [string, boolean][] = [
    ...[["", true], ["a\r\nb", true], ["a\nb", false], ["a\rb", false]] as [string, boolean][],
    ...[["a\0\r\n", false], ["\n", false], ["a\r", false], ["\r\n\r\n", true]] as [
      string,
      boolean,
    ][],
  ];
  for (const [text, expected] of cases) assertEquals(isInLines(encodeText(text)), expected, text);
});

Deno.test("recipients that nobody shall see go, however their field is written", () => {
  const cases: readonly [string, string][] = [
    ["From: a@b.example\r\nBcc: c@d.example\r\n\r\n", "From: a@b.example\r\n\r\n"],
    ["BCC: c@d.example,\r\n e@f.example\r\nTo: g@h.example\r\n\r\n", "To: g@h.example\r\n\r\n"],
    ["bcc:\r\nResent-Bcc: x@y.example\r\nbCc: z@y.example\r\n\r\n", "\r\n"],
    ["X-Bcc: a@b.example\r\n\r\nBcc: body\r\n", "X-Bcc: a@b.example\r\n\r\n"],
  ];
  for (const [message, shown] of cases) {
    assertEquals(decodeText(withoutBcc(readHeader(encodeText(message))).bytes), shown);
  }
});
