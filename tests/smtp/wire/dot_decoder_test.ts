import { assertEquals } from "@std/assert";
import { seededRandom } from "../../../src/base/random.ts";
import { concatBytes, decodeText, encodeText } from "../../../src/base/bytes.ts";
import { bodyFacts } from "../../../src/mail/body_facts.ts";
import { DotDecoder } from "../../../src/smtp/wire/dot_decoder.ts";
import { DotEncoder } from "../../../src/smtp/wire/dot_encoder.ts";

const GOOD: readonly [wire: string, message: string][] = [
  [".\r\n", ""],
  ["a\r\n.\r\n", "a\r\n"],
  ["\r\n.\r\n", "\r\n"],
  ["..\r\n.\r\n", ".\r\n"],
  [".a\r\n.\r\n", "a\r\n"],
  ["...\r\n..a\r\n.\r\n", "..\r\n.a\r\n"],
  ["a.\r\nb\r\n.\r\n", "a.\r\nb\r\n"],
  ["a\r\n\r\n\r\n.\r\n", "a\r\n\r\n\r\n"],
  ["gr\u00fc\u00dfe\r\n.\r\n", "gr\u00fc\u00dfe\r\n"],
];

for (const [wire, message] of GOOD) {
  Deno.test(`dot decoder: ${JSON.stringify(wire)}, split anywhere`, () => {
    forEachSplit(encodeText(wire + "NEXT\r\n"), (pieces) => {
      const decoded = decode(pieces);
      assertEquals(decodeText(decoded.message), message);
      assertEquals(decodeText(decoded.rest), "NEXT\r\n");
      assertEquals(decoded.violation, null);
      assertEquals(decoded.facts, bodyFacts(encodeText(message)));
    });
  });
}

Deno.test("dot decoder: short lines around a long one keep their order, and come once", () => {
  const long = "b".repeat(5_000);
  const wire = `..a\r\n..${long}\r\n..c\r\nd\r\n..${long}\r\n..e\r\n.\r\n`;
  const message = `.a\r\n.${long}\r\n.c\r\nd\r\n.${long}\r\n.e\r\n`;
  assertEquals(decodeText(decode([encodeText(wire)]).message), message);
});

Deno.test("dot decoder: what was found first stays", () => {
  for (const [first, next, violation] of [["a\n", "\0", "bare_lf"], ["\0", "a\n", "nul"]]) {
    const pieces = [first, next, "\r\n.\r\n"].map((text) => encodeText(text ?? ""));
    assertEquals(decode(pieces).violation as string | null, violation ?? null);
  }
});

const BAD: readonly [wire: string, violation: string][] = [
  ["a\nb\r\n.\r\n", "bare_lf"],
  ["\n.\r\n\r\n.\r\n", "bare_lf"],
  ["a\n.\r\n\r\n.\r\n", "bare_lf"],
  ["a\n.\n\r\n.\r\n", "bare_lf"],
  ["a\r\n.\n\r\n.\r\n", "bare_lf"],
  ["a\r.\r\n.\r\n", "bare_cr"],
  ["a\r\n.\rb\r\n.\r\n", "bare_cr"],
  ["a\r\r\n.\r\n", "bare_cr"],
  ["a\r\n.\r\r\n.\r\n", "bare_cr"],
  ["\r.\r\n.\r\n", "bare_cr"],
  ["a\r\r\n\r\n.\r\n", "bare_cr"],
  ["a\0b\r\n.\r\n", "nul"],
  ["a\r\n\0.\r\n.\r\n", "nul"],
];

for (const [wire, violation] of BAD) {
  Deno.test(`dot decoder: ${JSON.stringify(wire)} is ${violation} and stays in step`, () => {
    forEachSplit(encodeText(wire + "NEXT\r\n"), (pieces) => {
      const decoded = decode(pieces);
      assertEquals(decodeText(decoded.rest), "NEXT\r\n");
      assertEquals(decoded.violation, violation);
    });
  });
}

for (const line of ["..\r\n", "..a\r\n", "\r\n..\r\n", `..${"a".repeat(70)}\r\n`]) {
  Deno.test(`dot decoder: many lines of ${JSON.stringify(line.slice(0, 9))} are few pieces`, () => {
    const lines = Math.ceil(65536 / line.length);
    const { pieces } = new DotDecoder().decode(encodeText(line.repeat(lines)));
    assertEquals(pieces.length, 1);
    assertEquals(decodeText(concatBytes(pieces)), line.replace("..", ".").repeat(lines));
  });
}

Deno.test("dot decoder: finds the same end as a search for CRLF.CRLF, whatever comes", () => {
  const random = seededRandom(20_261_123);
  const octets = ["\r", "\n", ".", "\0", "a", "\r\n", "\r\n."];
  for (let round = 0; round < 3000; round++) {
    let text = "";
    for (let length = 0; length < 12; length++) {
      text += octets[Math.floor(random.float() * octets.length)];
    }
    const wire = `${text}\r\n.\r\n`;
    const end = `\r\n${wire}`.indexOf("\r\n.\r\n") + 3;
    const at = Math.floor(random.float() * wire.length);
    const bytes = encodeText(wire);
    const decoded = decode([bytes.subarray(0, at), bytes.subarray(at)]);
    assertEquals(decodeText(decoded.rest), wire.slice(end), JSON.stringify([wire, at]));
    const data = wire.slice(0, end - 3);
    const isClean = !/\0|\r(?!\n)|(?<!\r)\n/.test(data);
    assertEquals(decoded.violation === null, isClean, JSON.stringify([wire, at]));
  }
});

Deno.test("dot decoder: decode(encode(message)) is the message, with its facts", () => {
  const random = seededRandom(7);
  for (let round = 0; round < 300; round++) {
    let message = "";
    for (let line = 0; line < random.float() * 20; line++) {
      message += ".".repeat(random.float() * 3) + "x".repeat(random.float() * 80) + "\r\n";
    }
    const bytes = encodeText(message);
    const encoder = new DotEncoder();
    const cut = Math.floor(random.float() * bytes.length);
    const wire = concatBytes([
      encoder.encode(bytes.subarray(0, cut)),
      encoder.encode(bytes.subarray(cut)),
      encoder.end(),
    ]);
    const at = Math.floor(random.float() * wire.length);
    const decoded = decode([wire.subarray(0, at), wire.subarray(at)]);
    assertEquals(decodeText(decoded.message), message);
    assertEquals(decoded.facts, bodyFacts(bytes));
  }
});

function decode(pieces: readonly Uint8Array[]) {
  const decoder = new DotDecoder();
  const message: Uint8Array[] = [];
  const rest: Uint8Array[] = [];
  let done = false;
  for (const piece of pieces) {
    if (done) {
      rest.push(piece);
      continue;
    }
    const decoded = decoder.decode(piece);
    message.push(...decoded.pieces.map((slice) => slice.slice()));
    rest.push(piece.subarray(decoded.consumed));
    done = decoded.done;
  }
  const { facts, violation } = decoder;
  return { message: concatBytes(message), rest: concatBytes(rest), facts, violation };
}

function forEachSplit(bytes: Uint8Array, check: (pieces: readonly Uint8Array[]) => void): void {
  for (let first = 0; first <= bytes.length; first++) {
    for (let second = first; second <= bytes.length; second++) {
      check([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]);
    }
  }
  check([...bytes].map((octet) => Uint8Array.of(octet)));
}
