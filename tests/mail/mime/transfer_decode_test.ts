import { assertEquals } from "@std/assert";
import { concatBytes, decodeText, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { transferDecode, transferDecoder } from "../../../src/mail/mime/transfer_decode.ts";

const CASES: readonly (readonly [encoding: string, body: string, decoded: string])[] = [
  ["base64", "SGVs bG8=\r\n", "Hello"],
  ["base64", "SGVs!bG8", "Hello"],
  ["base64", "SGk=SGk=", "HiHi"],
  ["base64", "SGk=\r\nSGk=\r\n", "HiHi"],
  ["base64", "SGVsbG8=\r\n-- \r\nA footer that was added\r\n", "Hello"],
  ["base64", "SGVsbG8h\r\n\r\nA footer, which was added\r\n", "Hello!"],
  ["base64", "SGVsbG8= words behind it", "Hello"],
  ["base64", "SGVsbG8h\r\n --boundary\r\nABCD\r\n", "Hello!"],
  ["base64", "SGVsbG8h\r\n--\r\nwords\r\n", "Hello!"],
  ["base64", `${"SGVsbG8h".repeat(300)} a, b`, "Hello!".repeat(300) + "i"],
  ["base64", "", ""],
  ["quoted-printable", "a=3D=3d=\r\nb", "a==b"],
  ["quoted-printable", "a= \t\r\nb", "ab"],
  ["quoted-printable", "a  \r\nb\t", "a\r\nb"],
  ["quoted-printable", "a=20\r\n", "a \r\n"],
  ["quoted-printable", "a=zz=4", "a=zz=4"],
  ["quoted-printable", "a=", "a"],
  ["x-uuencode", "begin 644 a.txt\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello"],
  ["7bit", "as it is = \r\n", "as it is = \r\n"],
];

Deno.test("transfer decoding: what is malformed is passed over", () => {
  for (const [encoding, body, decoded] of CASES) {
    assertEquals(decodeText(transferDecode(encodeText(body), encoding)), decoded, body);
  }
});

/** The length of a body is known from a first reading, so a second one must come to the same. */
Deno.test("transfer decoding: how octets arrive changes nothing, whatever they are", () => {
  const random = seededRandom(7);
  const pieces = [
    "QUJD",
    "QQ==",
    "=",
    "\r\n",
    "\n",
    " ",
    "=3D",
    "= \r\n",
    "-- x",
    "a, b",
    "QUJD".repeat(300),
    "Zm9v",
    "é",
    "\r",
  ];
  for (let round = 0; round < 60; round++) {
    let text = "";
    while (random.float() < 0.95) text += pieces[Math.floor(random.float() * pieces.length)];
    const body = encodeText(text);
    for (const encoding of ["base64", "quoted-printable", "x-uuencode"]) {
      const whole = transferDecode(body, encoding);
      const ends = new Set<number | null>();
      for (const step of [1, 3, 10, body.length + 1]) {
        const decoder = transferDecoder(encoding);
        const parts: Uint8Array[] = [];
        for (let at = 0; at < body.length; at += step) {
          parts.push(new Uint8Array(decoder?.decode(body.slice(at, at + step)) ?? []));
        }
        parts.push(new Uint8Array(decoder?.end() ?? []));
        ends.add(decoder?.contentEnd ?? null);
        assertEquals(
          concatBytes(parts),
          new Uint8Array(whole),
          `${encoding} ${JSON.stringify(text)}`,
        );
      }
      assertEquals(ends.size, 1, `${encoding} ${JSON.stringify(text)}`);
    }
  }
});
