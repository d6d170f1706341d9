/** Text in the charsets of real mail, and what happens with what they do not fit. */
import { assertEquals } from "@std/assert";
import { concatBytes, encodeText } from "../../../src/base/bytes.ts";
import { isKnownCharset, readText } from "../../../src/mail/mime/charset.ts";

/** One octet a character. */
function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

Deno.test("charsets: octets under a name are this text", () => {
  const rows: [label: string | null, written: string, text: string][] = [
    [null, "caf\xe9", "café"],
    [null, "caf\xc3\xa9", "café"],
    ["us-ascii", "\x93x\x94", "“x”"],
    ["utf-8", "\xef\xbb\xbfx", "x"],
    ["UTF8MB4", "\xc3\xa9", "é"],
    ["latin1", "\xe9", "é"],
    ["cp1252", "\x80", "€"],
    ['"ISO-8859-15" (a comment)', "\xa4", "€"],
    ["iso8859_2", "\xb1", "ą"],
    ["ibm437", "\x82", "é"],
    ["cp850", "\x82", "é"],
    ["macroman", "\x8e", "é"],
    ["tis620", "\xa1", "ก"],
    ["cp936", "\xc4\xe3", "你"],
    ["utf-7", "+AGEA-b", "ab"],
    ["utf-7", "1+-1 +AOk-", "1+1 é"],
    ["utf-7", "+.", "+."],
    ["utf-16", "\xff\xfea\0", "a"],
    ["utf-16", "\xfe\xff\0a", "a"],
    ["utf-16", "a\0b\0", "ab"],
    ["utf-16", "\0a\0b", "ab"],
    ["utf-16", "Hello \xc3\xa9", "Hello é"],
    ["utf-32", "\0\0\0a", "a"],
    ["utf-32", "\xff\xfe\0\0a\0\0\0", "a"],
    ["utf-32", "\0\0\xfe\xff\0\0\0a", "a"],
    ["utf-32le", "a\0\0\0\xff\xff\x10\0", "a\u{10ffff}"],
    ["hz-gb-2312", "a~{Dc~}b~~c", "a你b~c"],
    ["hz", "~{Dc\nb", "你\nb"],
    ["hz", "a~\nb", "ab"],
    ["iso-2022-jp", '\x1b$B$"\x1b(Ba', "あa"],
    ["iso-2022-jp", '\x1b$B$"\na', "あ\na"],
    ["iso-2022-jp", "\x1b(I1\x1b(B", "ｱ"],
    ["iso-2022-jp-1", "\x1b$(D0!\x1b(B", "丂"],
    ["iso-2022-jp-2", "\x1b.A\x1bNi", "é"],
    ["iso-2022-jp-2", "\x1b.F\x1bNaa", "αa"],
    ["iso-2022-kr", "\x1b$)C\x0e0!\x0fa", "가a"],
    ["iso-2022-cn", "\x1b$)A\x0eDc\na", "你\na"],
  ];
  for (const [label, written, text] of rows) {
    const read = readText(octets(written), label);
    assertEquals(read, { text, isCertain: true }, `${label} ${JSON.stringify(written)}`);
  }
});

Deno.test("charsets: what does not fit is told as uncertain, and read as well as may be", () => {
  const rows: [label: string, written: string, text: string][] = [
    ["x-nobody", "caf\xe9", "café"],
    ["iso-2022-jp", '\x1b$B$"\x75\x21\x1b(Ba', "あ\ufffda"],
    ["utf-8", "caf\xe9", "café"],
    ["utf-8", "\xc3\xa9\xe9", "é\ufffd"],
    ["utf-32", "\0\0\0\xe9\0", "é\ufffd"],
    ["utf-32", "\0\0\xd8\0\0\0\xdf\xff\0\x11\0\0", "\ufffd\ufffd\ufffd"],
    ["iso-2022-jp", "\x1b$(Zab c\xe9\x1b(B", "\ufffd\ufffd \ufffd\ufffd"],
    ["iso-2022-jp", "a\xe9", "a\ufffd"],
  ];
  for (const [label, written, text] of rows) {
    const read = readText(octets(written), label);
    assertEquals(read, { text, isCertain: false }, `${label} ${JSON.stringify(written)}`);
  }
  assertEquals(readText(encodeText("é"), "iso-2022-jp"), { text: "é", isCertain: true });
});

Deno.test("charsets: a long text in a table of our own is whole", () => {
  const long = concatBytes([octets("a".repeat(4_095)), octets("\x82\x82"), octets("b")]);
  assertEquals(readText(long, "cp437").text, `${"a".repeat(4_095)}éé` + "b");
});

Deno.test("charsets: which are known", () => {
  for (const label of ["", "7bit", "unknown-8bit", "utf-7", "cp437", "dos-850", "windows-1251"]) {
    assertEquals(isKnownCharset(label), true, label);
  }
  for (const label of ["x-nobody", "utf-9", "x-utf-8-not"]) {
    assertEquals(isKnownCharset(label), false, label);
  }
});
