import { assertEquals } from "@std/assert";
import { decodeEncodedWords } from "../../src/mail/encoded_word.ts";

// The first ones are the examples of RFC 2047 section 8.
const CASES: readonly [string, string][] = [
  ["(=?ISO-8859-1?Q?a?=)", "(a)"],
  ["(=?ISO-8859-1?Q?a?= b)", "(a b)"],
  ["(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"],
  ["(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"],
  ["(=?ISO-8859-1?Q?a_b?=)", "(a b)"],
  ["(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"],
  ["=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.example>", "Keith Moore <moore@cs.example>"],
  ["=?utf-8?B?w?= =?utf-8?B?pA==?=", "=?utf-8?B?w?= ¤"],
  ["=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"],
  ["=?koi8-r?B?8NLJ18XU?=", "Привет"],
  ["=?x-unknown?Q?a?= b", "a b"],
  ["=?x-unknown?Q?Gr=FC=DFe?=", "Grüße"],
  ["=?utf-8?Q?Gr=FC=DFe?=", "Grüße"],
  ["=?cp932?B?k/qWew==?=", "日本"],
  ["=?utf-8?B?R0xHIC0g5byg?= =?utf-8?B?5LiA5YU=?= =?utf-8?B?tQ==?=", "GLG - 张一兵"],
  ["=?utf-8?Q?Really, you think so??=", "Really, you think so?"],
  ["=?utf-8?B?R3LDvMOfZQ?=", "Grüße"],
  ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["=?utf-8?Q?50=?=", "50="],
  ["=?utf-8?Q??=", ""],
  ["plain =? text ?=", "plain =? text ?="],
];

Deno.test("decodeEncodedWords", () => {
  for (const [text, expected] of CASES) assertEquals(decodeEncodedWords(text), expected, text);
});
