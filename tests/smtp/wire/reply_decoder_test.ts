import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import type { Reply } from "../../../src/mail/reply.ts";
import { type DecodedReply, ReplyDecoder } from "../../../src/smtp/wire/reply_decoder.ts";

const GOOD: readonly [name: string, wire: string, replies: readonly Reply[]][] = [
  ["one line", "250 OK\r\n", [{ code: 250, lines: ["OK"] }]],
  ["enhanced code", "250 2.1.0 Fine\r\n", [{ code: 250, enhanced: "2.1.0", lines: ["Fine"] }]],
  ["enhanced code alone", "250 2.1.0\r\n", [{ code: 250, enhanced: "2.1.0", lines: [""] }]],
  ["code alone", "250\r\n", [{ code: 250, lines: [""] }]],
  ["several lines", "250-mx\r\n250-SIZE 9\r\n250 8BITMIME\r\n", [
    { code: 250, lines: ["mx", "SIZE 9", "8BITMIME"] },
  ]],
  ["enhanced code on each line", "550-5.1.1 No such\r\n550 5.1.1 mailbox\r\n", [
    { code: 550, enhanced: "5.1.1", lines: ["No such", "mailbox"] },
  ]],
  ["enhanced code of another class stays text", "250 5.1.1 x\r\n", [
    { code: 250, lines: ["5.1.1 x"] },
  ]],
  ["bare LF", "220 hi\n250 OK\n", [{ code: 220, lines: ["hi"] }, { code: 250, lines: ["OK"] }]],
  ["pipelined", "250 a\r\n550-b\r\n550 c\r\n354 d\r\n", [
    { code: 250, lines: ["a"] },
    { code: 550, lines: ["b", "c"] },
    { code: 354, lines: ["d"] },
  ]],
  ["UTF-8", "250 2.0.0 Grüße\r\n", [{ code: 250, enhanced: "2.0.0", lines: ["Grüße"] }]],
  ["empty lines before and within", "\r\n \r\n250-a\r\n\r\n250 b\r\n", [
    { code: 250, lines: ["a", "b"] },
  ]],
  ["no separator", "250OK\r\n", [{ code: 250, lines: ["OK"] }]],
  ["a TAB as separator", "250\tOK\r\n", [{ code: 250, lines: ["OK"] }]],
  ["white space before the code", " \t250-a\r\n 250 b\r\n", [{ code: 250, lines: ["a", "b"] }]],
  ["several CR before LF", "250 OK\r\r\n", [{ code: 250, lines: ["OK"] }]],
  ["codes of one class, of which the last counts", "250-a\r\n251 b\r\n", [
    { code: 251, lines: ["a", "b"] },
  ]],
  ["codes of refusals, of which the last counts", "550-a\r\n450 b\r\n", [
    { code: 450, lines: ["a", "b"] },
  ]],
  ["wrapped text", "550-5.1.1 No\r\nsuch box\r\n550 5.1.1 here\r\n", [
    { code: 550, enhanced: "5.1.1", lines: ["No", "such box", "here"] },
  ]],
  ["a dash and no text", "250-\r\n250\r\n", [{ code: 250, lines: ["", ""] }]],
  ["control characters", "250 a\rb\u0000c\r\n", [{ code: 250, lines: ["a\ufffdb\ufffdc"] }]],
];

const BAD: readonly [name: string, wire: string, problem: string][] = [
  ["not a code", "hello\r\n", "malformed"],
  ["two digits", "25 OK\r\n", "malformed"],
  ["a longer number", "2500 OK\r\n", "malformed"],
  ["an enhanced code in place of the code", "2.1.0 OK\r\n", "malformed"],
  ["class 1", "150 go on\r\n", "malformed"],
  ["class 6", "650 what\r\n", "malformed"],
  ["text before the code", "\r\nhello\r\n", "malformed"],
  ["codes differ", "250-a\r\n550 b\r\n", "code_mismatch"],
  ["one endless line", "250 " + "x".repeat(3300), "too_long"],
  ["endless lines", "250-xxxxxxxxxx\r\n".repeat(220), "too_long"],
  ["endless empty lines", "\r\n".repeat(1700), "too_long"],
];

for (const [name, wire, replies] of GOOD) {
  Deno.test(`reply decoder: ${name}, split anywhere`, () => {
    const bytes = encodeText(wire);
    for (let at = 0; at <= bytes.length; at++) {
      assertEquals(decodeAll([bytes.subarray(0, at), bytes.subarray(at)]), {
        replies: [...replies],
        last: { kind: "incomplete" },
      });
    }
  });
}

for (const [name, wire, problem] of BAD) {
  Deno.test(`reply decoder: refuses ${name}`, () => {
    const { last } = decodeAll([encodeText(wire)]);
    assertEquals<string>(last.kind === "error" ? last.problem : last.kind, problem);
  });
}

Deno.test("reply decoder: cuts a long line and stays in step", () => {
  const decoder = new ReplyDecoder({ maxLineBytes: 8 });
  decoder.push(encodeText(`250 ${"x".repeat(100)}\r\n221 bye\r\n`));
  assertEquals(decoder.next(), {
    kind: "reply",
    reply: { code: 250, lines: ["xxxxxxxx"] },
  });
  assertEquals(decoder.next(), { kind: "reply", reply: { code: 221, lines: ["bye"] } });
});

Deno.test("reply decoder: what is cut needs no room, however it comes", () => {
  const decoder = new ReplyDecoder({ maxLineBytes: 8, maxReplyBytes: 200 });
  decoder.push(encodeText("250-first"));
  for (let count = 0; count < 200; count++) {
    decoder.push(encodeText("x".repeat(10)));
    assertEquals(decoder.next().kind, "incomplete");
  }
  decoder.push(encodeText(`\r\n${"250-more text\r\n".repeat(50)}250 end\r\n221 bye\r\n`));
  const found = decoder.next();
  const lines = found.kind === "reply" ? found.reply.lines : [];
  assertEquals([lines[0], lines[1], lines.length < 30], ["firstxxx", "more tex", true]);
  assertEquals(decoder.next(), { kind: "reply", reply: { code: 221, lines: ["bye"] } });
});

Deno.test("reply decoder: a reply ends with the octets, if its code is known", () => {
  const cases: readonly [wire: string, reply: Reply | null][] = [
    ["", null],
    ["25", null],
    ["hello", null],
    ["250", { code: 250, lines: [""] }],
    ["250 2.0.0 Kept", { code: 250, enhanced: "2.0.0", lines: ["Kept"] }],
    ["250-Kept", { code: 250, lines: ["Kept"] }],
    ["250-Kept\r\n", { code: 250, lines: ["Kept"] }],
    ["250-Kept\r\n250 so", { code: 250, lines: ["Kept", "so"] }],
    ["250-Kept\r\n550 no", null],
    ["250 Kept\r\n", null],
  ];
  for (const [wire, reply] of cases) {
    const decoder = new ReplyDecoder();
    decoder.push(encodeText(wire));
    decoder.next();
    assertEquals(decoder.end(), reply, wire);
  }
});

Deno.test("reply decoder: reset forgets what was buffered", () => {
  const decoder = new ReplyDecoder();
  decoder.push(encodeText("220-ready\r\n250 injected"));
  decoder.next();
  assertEquals(decoder.pending, true);
  decoder.reset();
  assertEquals(decoder.pending, false);
  decoder.push(encodeText("250 ok\r\n"));
  assertEquals(decoder.next(), { kind: "reply", reply: { code: 250, lines: ["ok"] } });
});

function decodeAll(chunks: readonly Uint8Array[]): { replies: Reply[]; last: DecodedReply } {
  const decoder = new ReplyDecoder({ maxReplyBytes: 200 });
  const replies: Reply[] = [];
  let last: DecodedReply = { kind: "incomplete" };
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (last = decoder.next(); last.kind === "reply"; last = decoder.next()) {
      replies.push(last.reply);
    }
  }
  return { replies, last };
}
