import { assertEquals } from "@std/assert";
import { decodeUtf8Xtext, decodeXtext } from "../../src/mail/xtext.ts";

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
