import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { sessionSetup } from "./session_setup.ts";

/** A session with something of everything in it. */
const SCRIPT = "NOOP\r\nFOO\r\nEHLO client.example\r\n" +
  "MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=100\r\nRCPT TO:<c@example.com>\r\n" +
  "RCPT TO:<bad\r\nRCPT TO:<d@example.com>\r\nDATA\r\n" +
  "Received: from x by y; Thu, 21 May 1998 05:33:29 -0700\r\nSubject: gr\u00fc\u00dfe\r\n\r\n" +
  "..dot\r\n.x\r\n\r\n.\r\n" +
  "NOOP\nQUIT\n\r\n" +
  `NOOP ${"x".repeat(700)}\r\n` +
  "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\na\n.\nQUIT\r\n.\r\n" +
  "MAIL FROM:<>\r\nRCPT TO:<@r.example:e@example.com>\r\nDATA\r\n.\r\n" +
  "MAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nBDAT 12\r\nNOOP\r\n.\r\n..\rBDAT 3 LAST\r\n\nx\r" +
  "BDAT 6\r\nQUIT\r\n" +
  "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<c@example.com>\r\nBDAT 7\r\nQUIT\r\n\0" +
  "BDAT 0 LAST\r\n" +
  "RSET\r\nVRFY x\r\nQUIT\r\nNOOP\r\n";

const octets = encodeText(SCRIPT);
const whole = await play([octets]);

Deno.test("splitting: the session does what it should in one piece", () => {
  const codes = whole.output.split("\r\n").filter((line) => line[3] === " ")
    .map((line) => line.slice(0, 3));
  assertEquals(
    codes.join(" "),
    "220 250 500 250 250 250 501 250 354 250 500 500 250 250 354 554 250 250 354 250 " +
      "250 250 250 554 503 250 250 250 250 250 252 221",
  );
  assertEquals(whole.stored.length, 3);
});

Deno.test("splitting: cut in two anywhere, the session is the same", async () => {
  for (let at = 0; at <= octets.length; at++) {
    assertEquals(await play([octets.subarray(0, at), octets.subarray(at)]), whole, `cut at ${at}`);
  }
});

Deno.test("splitting: octet by octet, the session is the same", async () => {
  assertEquals(await play([...octets].map((octet) => Uint8Array.of(octet))), whole);
});

Deno.test("splitting: cut in many places, the session is the same", async () => {
  const random = seededRandom(42);
  for (let round = 0; round < 100; round++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < octets.length;) {
      const length = 1 + Math.floor(random.float() * 60);
      pieces.push(octets.subarray(at, at + length));
      at += length;
    }
    assertEquals(await play(pieces), whole, `round ${round}`);
  }
});

async function play(pieces: readonly Uint8Array[]) {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  for (const piece of pieces) conn.send(piece);
  conn.leave();
  await done;
  const stored = setup.sink.stored.map(({ body, ...message }) => ({
    ...message,
    body: decodeText(body),
  }));
  const events = setup.events.map((event) => ({ ...event, sessionId: "" }));
  return { output: conn.takeOutput(), stored, events, aborted: setup.sink.aborted };
}
