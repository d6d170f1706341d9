/** The same as `splitting_test.ts` for the commands that take the input over. */
import { assertEquals } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { settle } from "../../support/manual_clock.ts";
import { DialogueSettings } from "./dialogue_settings.ts";
import { sessionSetup } from "./session_setup.ts";

/** What a client sends without waiting; it waits for the answers to one before the next. */
type Groups = readonly string[];

const CHUNKS = "EHLO c.example\r\nMAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" +
  "RCPT TO:<c@example.com>\r\nBDAT 9\r\na\nb\0\r.\r\nxBDAT 0\r\nBDAT 4 LAST\r\nc\r\n." +
  "MAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nBDAT 6\r\nQUIT\r\nRSET\r\n" +
  "BDAT 6 LAST\r\nRSET\r\nBDAT x\r\n";
const LOGIN = "EHLO c.example\r\nAUTH LOGIN\r\nYWxpY2U=\r\nd3Jvbmc=\r\n" +
  "AUTH PLAIN\r\n*\r\nAUTH PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\nAUTH PLAIN =\r\n" +
  "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\nDATA\r\n.\r\n";

const CASES: Readonly<
  Record<string, { server: readonly string[]; groups: Groups; codes: string }>
> = {
  "chunks (RFC 3030)": {
    server: [],
    groups: [`${CHUNKS}QUIT\r\n`],
    codes: "220 250 250 250 250 250 250 250 250 250 250 503 521",
  },
  "authentication (RFC 4954)": {
    server: ["auth always", "client 203.0.113.9"],
    groups: [`${LOGIN}QUIT\r\n`],
    codes: "220 250 334 334 535 334 501 334 235 503 250 250 354 250 221",
  },
  "TLS (RFC 3207)": {
    server: ["tls offered", "auth tls"],
    groups: ["EHLO c.example\r\nSTARTTLS\r\n", `${LOGIN}${CHUNKS}QUIT\r\n`],
    codes: "220 250 220 250 334 334 535 334 501 334 235 503 250 250 354 250 " +
      "250 250 250 250 250 250 250 250 250 250 503 521",
  },
};

for (const [name, { server, groups, codes }] of Object.entries(CASES)) {
  Deno.test(`splitting: ${name} in one piece`, async () => {
    const { output } = await play(server, groups, Infinity);
    assertEquals(codesIn(output), codes);
  });

  Deno.test(`splitting: ${name}, cut in two anywhere or in many pieces`, async () => {
    const whole = await play(server, groups, Infinity);
    const length = Math.max(...groups.map((group) => group.length));
    for (let size = 1; size <= 40; size++) {
      assertEquals(await play(server, groups, size), whole, `pieces of ${size}`);
    }
    for (let at = 1; at <= length; at += groups.length > 1 ? 7 : 1) { // waiting takes its time
      assertEquals(await play(server, groups, at, 1), whole, `cut at ${at}`);
    }
  });
}

function codesIn(output: string): string {
  return output.split("\r\n").filter((line) => line[3] === " ").map((line) => line.slice(0, 3))
    .join(" ");
}

/** Sends each group in pieces of this size, or after so many cuts all the rest. */
async function play(
  server: readonly string[],
  groups: Groups,
  pieceBytes: number,
  cuts = Infinity,
) {
  const settings = new DialogueSettings(server);
  await using setup = sessionSetup(settings.serverOptions);
  const { conn, done } = setup.connect(settings.clientAddress, settings.handshake);
  for (const group of groups) {
    let rest = encodeText(group);
    for (let cut = 0; rest.length > 0; cut++) {
      const length = cut < cuts ? Math.min(pieceBytes, rest.length) : rest.length;
      conn.send(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    if (groups.length > 1) await settle();
  }
  conn.leave();
  await done;
  const stored = setup.sink.stored.map(({ body, ...message }) => ({
    ...message,
    body: decodeText(body),
  }));
  const events = setup.events.map((event) => ({ ...event, sessionId: "" }));
  return { output: conn.takeOutput(), stored, events, aborted: setup.sink.aborted };
}
