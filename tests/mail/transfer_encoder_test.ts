/** Encoders of bodies: what they write comes back as it was, in lines that every relay takes. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { concatBytes, decodeLatin1, encodeText } from "../../src/base/bytes.ts";
import {
  Base64Encoder,
  QuotedPrintableEncoder,
  type TransferEncoder,
} from "../../src/mail/transfer_encoder.ts";

function encoded(encoder: TransferEncoder, chunks: readonly (string | Uint8Array)[]): string {
  const octets = chunks.map((chunk) => typeof chunk === "string" ? encodeText(chunk) : chunk);
  const pieces = octets.map((chunk) => encoder.encode(chunk));
  return decodeLatin1(concatBytes([...pieces, encoder.end()]));
}

/** Quoted-printable read back by the letter of RFC 2045 6.7. */
function decoded(text: string): string {
  const octets = text.replaceAll("=\r\n", "").replace(
    /=([0-9A-F]{2})/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(octets, "latin1").toString("utf8");
}

const LONG = "a".repeat(5_000);

Deno.test("quoted-printable: lines of any length, cut anywhere, come back in lines of 76", () => {
  const bodies: string[][] = [
    ["plain\r\n"],
    ["a".repeat(76) + "\r\n" + "a".repeat(77) + "\r\n"],
    ["é".repeat(30) + "\r\n\r\nlast"],
    ["é" + LONG + " ", "\r\nnext\r\n"],
    ["é" + LONG + "\r", "\nnext\r\n"],
    ["é" + LONG + " \t\r", "\n"],
    [LONG, LONG, "é ", "\r\n"],
    [LONG + "="],
    [LONG, " "],
    ["a = b \r\n", "tab\t\r\n", "\x00\x7f\x1f\r\n", "x\ty\r\n"],
  ];
  for (const [index, chunks] of bodies.entries()) {
    const text = encoded(new QuotedPrintableEncoder(), chunks);
    const name = `body ${index}`;
    assertEquals(decoded(text), chunks.join(""), name);
    for (const line of text.split("\r\n")) {
      assert(line.length <= 76, name);
      assert(/^(?:[\t\x20-<>-~]|=[0-9A-F]{2}|=$)*$/.test(line), `${name}: ${line}`);
      assert(!/[ \t]$/.test(line), name);
    }
  }
});

Deno.test("quoted-printable: only what has to be is escaped, and lines are filled", () => {
  const rows: [string, string][] = [
    ["x\ty z\r\n", "x\ty z\r\n"],
    ["z \r\n", "z=20\r\n"],
    ["z\t", "z=09"],
    ["=\x7f\x1f", "=3D=7F=1F"],
    ["!~é", "!~=C3=A9"],
    ["a".repeat(76), "a".repeat(76)],
    ["a".repeat(77), `${"a".repeat(75)}=\r\naa`],
    [`${"a".repeat(74)}é`, `${"a".repeat(74)}=\r\n=C3=A9`],
  ];
  for (const [text, expected] of rows) {
    assertEquals(encoded(new QuotedPrintableEncoder(), [text]), expected, text);
  }
});

Deno.test("quoted-printable: a line that does not end is not kept", () => {
  const encoder = new QuotedPrintableEncoder();
  assertEquals(encoder.encode(encodeText("a".repeat(4_096))).length, 0);
  assert(encoder.encode(encodeText("a")).length >= 4_095);
});

Deno.test("base64: lines of 76, no break at the end, however the octets come", () => {
  for (const length of [0, 1, 56, 57, 58, 114, 200]) {
    const octets = Uint8Array.from({ length }, (_, index) => index);
    const whole = encoded(new Base64Encoder(), [octets]);
    const expected = (octets.toBase64().match(/.{1,76}/g) ?? []).join("\r\n");
    assertEquals(whole, expected, `${length}`);
    const cut = [octets.subarray(0, 30), octets.subarray(30, 60), octets.subarray(60)];
    assertEquals(encoded(new Base64Encoder(), cut), expected, `${length}, cut`);
  }
});
