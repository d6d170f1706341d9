import { assertEquals } from "@std/assert";
import {
  asciiOriginalRecipient,
  decodeUtf8Xtext,
  decodeXtext,
  encodeXtext,
  originalRecipientOf,
} from "../../src/mail/xtext.ts";

Deno.test("decodeXtext", () => {
  assertEquals(decodeXtext("QQ314159"), "QQ314159");
  assertEquals(decodeXtext("a+2Bb+3Dc"), "a+b=c");
  assertEquals(decodeXtext("a+2b+"), "a+2b+");
  assertEquals(decodeXtext("+C3+A4"), "ä");
});

Deno.test("decodeUtf8Xtext", () => {
  assertEquals(decodeUtf8Xtext("\\x{E4}+2B@b\\x{FC}cher.example"), "ä+@bücher.example");
  assertEquals(decodeUtf8Xtext("\\x{D800}\\x{110000}"), "\\x{D800}\\x{110000}");
});

Deno.test("decodeUtf8Xtext: the ends of what is a character", () => {
  const rows: [string, string][] = [
    ["\\x{D7FF}\\x{E000}", "\ud7ff\ue000"],
    ["\\x{DFFF}", "\\x{DFFF}"],
    ["\\x{10FFFF}", "\u{10ffff}"],
    ["\\x{5C}", "\\"],
    ["\\x{1}\\x{1234567}\\x{fc}", "\\x{1}\\x{1234567}\\x{fc}"],
  ];
  for (const [text, expected] of rows) assertEquals(decodeUtf8Xtext(text), expected, text);
});

Deno.test("xtext comes back as it was, and is printable ASCII without = and a lone +", () => {
  const texts = ["a", "~!*,-<>", "+", "=", " ", "\t\x7f\0", "ä€😀", "a+b=c d", "+2B"];
  for (const text of texts) {
    assertEquals(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(encodeXtext(text)), true, text);
    assertEquals(decodeXtext(encodeXtext(text)), text);
  }
  assertEquals(encodeXtext("~!*,-<>"), "~!*,-<>");
  assertEquals(encodeXtext("\t"), "+09");
});

Deno.test("an original recipient is ASCII for a mailbox in any script", () => {
  assertEquals(asciiOriginalRecipient("utf-8;jörg😀@x"), "utf-8;j\\x{F6}rg\\x{1F600}@x");
  assertEquals(originalRecipientOf(`"a b\\c"@x.test`), `rfc822;"a+20b\\c"@x.test`);
  assertEquals(originalRecipientOf("ä+=\\@x.test"), "utf-8;\\x{E4}\\x{2B}\\x{3D}\\x{5C}@x.test");
  assertEquals(originalRecipientOf("a\t@x.test"), "utf-8;a\\x{09}@x.test");
});
