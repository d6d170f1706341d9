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
  ["=?utf-8?B?w?= =?utf-8?B?pA==?=", "=?utf-8?B?w?= \ufffd"],
  ["=?utf-8?Q?=C3?= =?utf-8?Q?=A4?=", "ä"],
  ["=?koi8-r?B?8NLJ18XU?=", "Привет"],
  ["=?x-unknown?Q?a?= b", "=?x-unknown?Q?a?= b"],
  ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["=?utf-8?Q?50=?=", "50="],
  ["=?utf-8?Q??=", ""],
  ["plain =? text ?=", "plain =? text ?="],
];

Deno.test("decodeEncodedWords", () => {
  for (const [text, expected] of CASES) assertEquals(decodeEncodedWords(text), expected, text);
});
