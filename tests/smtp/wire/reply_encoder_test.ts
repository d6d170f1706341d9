import { assertEquals, assertThrows } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import type { Reply } from "../../../src/mail/reply.ts";
import { ReplyDecoder } from "../../../src/smtp/wire/reply_decoder.ts";
import { formatReplyLines } from "../../../src/smtp/wire/reply_encoder.ts";

const GOOD: readonly [reply: Reply, wire: string][] = [
  [{ code: 220, lines: ["relay.example ESMTP"] }, "220 relay.example ESMTP\r\n"],
  [{ code: 250, enhanced: "2.1.0", lines: ["Ok"] }, "250 2.1.0 Ok\r\n"],
  [{ code: 250, lines: ["a", "b", "c"] }, "250-a\r\n250-b\r\n250 c\r\n"],
  [{ code: 550, enhanced: "5.1.1", lines: ["a", "b"] }, "550-5.1.1 a\r\n550 5.1.1 b\r\n"],
  [{ code: 250, lines: [""] }, "250 \r\n"],
];

for (const [reply, wire] of GOOD) {
  Deno.test(`reply encoder: ${JSON.stringify(wire)} and back`, () => {
    assertEquals(formatReplyLines(reply), wire);
    const decoder = new ReplyDecoder();
    decoder.push(encodeText(wire));
    assertEquals(decoder.next(), { kind: "reply", reply });
  });
}

const BAD: readonly [name: string, reply: Reply][] = [
  ["CRLF", { code: 250, lines: ["a\r\n250 b"] }],
  ["LF", { code: 250, lines: ["a\nb"] }],
  ["CR", { code: 250, lines: ["a\rb"] }],
  ["NUL", { code: 250, lines: ["a\0b"] }],
  ["a line that is too long", { code: 250, lines: ["x".repeat(600)] }],
  ["no lines", { code: 250, lines: [] }],
  ["code 199", { code: 199, lines: ["a"] }],
  ["code 600", { code: 600, lines: ["a"] }],
];

for (const [name, reply] of BAD) {
  Deno.test(`reply encoder: refuses ${name}`, () => {
    assertThrows(() => formatReplyLines(reply), RangeError, "Cannot encode reply");
  });
}
