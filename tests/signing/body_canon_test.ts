import { assertEquals } from "@std/assert";
import { seededRandom } from "../../src/base/random.ts";
import { SimpleBody } from "../../src/signing/simple_body.ts";
import { RelaxedBody } from "../../src/signing/body_canon.ts";

/** The canonical form of a body handed over in chunks, one character for each octet. */
function relaxed(chunks: readonly Uint8Array[]): string {
  let text = "";
  const body = new RelaxedBody((piece) => {
    text += typeof piece === "string" ? piece : latin1(piece);
  });
  for (const chunk of chunks) body.write(chunk);
  body.end();
  return text;
}

function latin1(octets: Uint8Array): string {
  return [...octets].map((octet) => String.fromCharCode(octet)).join("");
}

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** RFC 6376 section 3.4.4 word by word. */
function byTheLetter(body: string): string {
  const lines = body.split("\r\n").map((line) =>
    line.replace(/[ \t]+$/, "").replace(/[ \t]+/g, " ")
  );
  while (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${line}\r\n`).join("");
}

const BODIES: readonly [string, string][] = [
  ["", ""],
  ["\r\n", ""],
  ["\r\n\r\n\r\n", ""],
  [" \t \r\n\r\n", ""],
  [" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"], // RFC 6376 section 3.4.5
  ["no break at the end", "no break at the end\r\n"],
  ["space at the end ", "space at the end\r\n"],
  ["\t\ta\r\n", " a\r\n"],
  [`a${" \t".repeat(500_000)}b\r\n`, "a b\r\n"], // in time that grows with the length alone
  ["\xe9\x80\x9f \xff\r\n", "\xe9\x80\x9f \xff\r\n"],
];

for (const [body, expected] of BODIES) {
  Deno.test(`relaxed body of ${JSON.stringify(body.slice(0, 40))}`, () => {
    assertEquals(relaxed([octetsOf(body)]), expected);
  });
}

Deno.test("a relaxed body is the same however it is cut, and by the letter of the RFC", () => {
  const random = seededRandom(6376);
  const pieces = ["a", "bc", " ", "  ", "\t", "\r\n", "\r\n\r\n", " \r\n", "é", "\r\n\t"];
  for (let round = 0; round < 400; round++) {
    let body = "";
    for (let count = random.float() * 20; count > 0; count--) {
      body += pieces[Math.floor(random.float() * pieces.length)];
    }
    const octets = octetsOf(body);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < octets.length;) {
      const end = Math.min(octets.length, at + Math.ceil(random.float() * 5));
      chunks.push(octets.subarray(at, end));
      at = end;
    }
    assertEquals(relaxed(chunks), byTheLetter(body), JSON.stringify(body));
  }
});

Deno.test("bare CR and LF of binary mail stay, however it is cut", () => {
  const random = seededRandom(1);
  const pieces = ["a", " ", "\r", "\n", "\r\n", "\0"];
  for (let round = 0; round < 200; round++) {
    let body = "";
    for (let count = random.float() * 12; count > 0; count--) {
      body += pieces[Math.floor(random.float() * pieces.length)];
    }
    const octets = octetsOf(body);
    const single = [...octets].map((octet) => Uint8Array.of(octet));
    assertEquals(relaxed(single), relaxed([octets]), JSON.stringify(body));
  }
});

/** The "simple" form of a body handed over in chunks. */
function simple(chunks: readonly Uint8Array[]): string {
  let text = "";
  const body = new SimpleBody((piece) => {
    text += typeof piece === "string" ? piece : latin1(piece);
  });
  for (const chunk of chunks) body.write(chunk);
  body.end();
  return text;
}

Deno.test("a simple body is the same however it is cut, and by the letter of the RFC", () => {
  const random = seededRandom(6376);
  const pieces = ["a", " ", "\t", "\r\n", "\r\n\r\n", "é", "\r", "\n"];
  for (let round = 0; round < 400; round++) {
    let body = "";
    for (let count = random.float() * 15; count > 0; count--) {
      body += pieces[Math.floor(random.float() * pieces.length)];
    }
    const expected = `${body.replace(/(?:\r\n)+$/, "")}\r\n`; // RFC 6376 section 3.4.3
    const octets = octetsOf(body);
    assertEquals(simple([octets]), expected, JSON.stringify(body));
    assertEquals(simple([...octets].map((octet) => Uint8Array.of(octet))), expected);
  }
});
