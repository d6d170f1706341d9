import { assert, assertEquals } from "@std/assert";
import { tempFolder } from "../support/peers.ts";
import { startNaiveSink } from "../support/naive_sink.ts";
import { readAll } from "../support/read_all.ts";
import { startInProcessRelay } from "../support/relay_in_process.ts";
import { startRelay } from "../support/relay_process.ts";

/** What may stand before and behind the dot in place of CRLF. */
const LINE_ENDS = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\n\n", "\r\r", "\r\0\n"]
  .concat(["\0\r\n", "\r\n\0", "\0\n", "\n\0", "\0\r", "\r\0", "\0", ""]);
/** What may stand in place of the dot. */
const DOTS = [".", "..", ".\0", "\0.", "\0.\0", ". ", " ."];
/** The end of data, of which there is only one (RFC 5321 4.1.1.4). */
const TRUE_END = "\r\n.\r\n";

/** Every end of data that somebody might take for one. */
const FALSE_ENDS = LINE_ENDS.flatMap((before) =>
  DOTS.flatMap((dot) => LINE_ENDS.map((after) => `${before}${dot}${after}`))
).filter((end) => !end.includes(TRUE_END));

const ENVELOPE = "MAIL FROM:<good@source.test>\r\nRCPT TO:<a@sink.test>\r\n";
const HIDDEN = "MAIL FROM:<evil@source.test>\r\nRCPT TO:<b@sink.test>\r\nDATA\r\n" +
  "Subject: hidden\r\n\r\ntext";

function messageWith(end: string): string {
  return `Subject: cover\r\n\r\ntext${end}${HIDDEN}`;
}

/** Sends the message of each end in a session of its own; returns all replies to them. */
async function sendAll(port: number, dialogues: readonly string[]): Promise<string[]> {
  const replies: string[] = [];
  const waiting = [...dialogues.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.write(new TextEncoder().encode(next[1]));
      replies[next[0]] = await readAll(conn);
    }
  };
  await Promise.all(Array.from({ length: 20 }, work));
  return replies;
}

/** How many messages the relay accepted in a dialogue. */
function accepted(replies: string): number {
  return replies.match(/^250 .*queued as/gm)?.length ?? 0;
}

Deno.test("smuggling: no false end of data brings a second message to a naive next hop", async () => {
  await using folder = await tempFolder();
  await using sink = startNaiveSink();
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: sink.port,
    settings: `[limits]\nerrors = 1000`,
  });
  const dialogues = FALSE_ENDS.map((end) =>
    `EHLO c.test\r\n${ENVELOPE}DATA\r\n${messageWith(end)}${TRUE_END}QUIT\r\n`
  );
  const replies = await sendAll(relay.port, dialogues);
  const counts = replies.map(accepted);
  FALSE_ENDS.forEach((end, index) => {
    const isClean = !/\0|\r(?!\n)|(?<!\r)\n/.test(`text${end}MAIL`);
    assertEquals(counts[index], isClean ? 1 : 0, `${JSON.stringify(end)}: ${replies[index]}`);
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  await sink.waitForMessages(total);
  assertEquals(sink.senders.filter((sender) => sender !== "<good@source.test>"), []);
  assertEquals(sink.senders.length, total);
});

Deno.test("smuggling: chunks hide nothing from a naive next hop (RFC 3030)", async () => {
  await using folder = await tempFolder();
  await using sink = startNaiveSink();
  await using relay = await startRelay({ folder: folder.path, nextHopPort: sink.port });
  const ends = [TRUE_END, ...FALSE_ENDS];
  const dialogues = ends.map((end) => {
    const message = `${messageWith(end)}\r\n`;
    const half = message.indexOf(end) + (end.length >> 1);
    return `EHLO c.test\r\n${ENVELOPE}BDAT ${half}\r\n${message.slice(0, half)}` +
      `BDAT ${message.length - half} LAST\r\n${message.slice(half)}QUIT\r\n`;
  });
  const replies = await sendAll(relay.port, dialogues);
  const counts = replies.map(accepted);
  assertEquals(counts[0], 1, replies[0]); // its dot is doubled on the way out
  assertEquals(counts.filter((count) => count > 1), []);
  const total = counts.reduce((sum, count) => sum + count, 0);
  await sink.waitForMessages(total);
  assertEquals(sink.senders.filter((sender) => sender !== "<good@source.test>"), []);
  assertEquals(sink.senders.length, total);
});

/** Places in a binary message that no transfer encoding covers. */
const BARE_PLACES: Readonly<Record<string, (hidden: string) => string>> = {
  preamble: (hidden) => `${MULTIPART}pre${hidden}\r\n--b\r\n\r\nx\r\n--b--\r\n`,
  epilogue: (hidden) => `${MULTIPART}--b\r\n\r\nx\r\n--b--\r\nepi${hidden}\r\n`,
  "line of a boundary": (hidden) => `${MULTIPART}--b \t${hidden}\r\n--b\r\n\r\nx\r\n--b--\r\n`,
  header: (hidden) => `Subject: x${hidden}\r\n\r\nx\r\n`,
  "end of the header": (hidden) => `Subject: x\r\n${hidden}\r\nx\r\n`,
  "header of a part": (hidden) => `${MULTIPART}--b\r\nX-A: x${hidden}\r\n\r\nx\r\n--b--\r\n`,
  "message in a message": (hidden) =>
    `Content-Type: message/rfc822\r\n\r\nX: x${hidden}\r\n\r\nx\r\n`,
  "body of a part": (hidden) => `${MULTIPART}--b\r\n\r\nx${hidden}\r\n--b--\r\n`,
};
const MULTIPART = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

Deno.test("smuggling: binary mail hides nothing where it is not encoded (RFC 3030)", async () => {
  await using sink = startNaiveSink();
  await using relay = await startInProcessRelay({
    toml: `transports.out = { type = "smarthost", hosts = ["127.0.0.1:${sink.port}"] }`,
  });
  const ends = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\0\n.\r\n", "\n.\r"];
  const messages = Object.values(BARE_PLACES).flatMap((make) =>
    ends.map((end) => make(`${end}${HIDDEN}`))
  );
  const dialogues = messages.map((message) =>
    `EHLO c.test\r\n${ENVELOPE.replace(">\r\n", "> BODY=BINARYMIME\r\n")}` +
    `BDAT ${message.length} LAST\r\n${message}QUIT\r\n`
  );
  const replies = await sendAll(relay.smtpPort, dialogues);
  assertEquals(replies.filter((reply) => accepted(reply) > 1), []);
  const ids = replies.flatMap((reply) => / queued as (\w+)/.exec(reply)?.[1] ?? []);
  assert(ids.length >= 2 * ends.length, "hardly anything was accepted");
  for (const id of ids) {
    await relay.waitFor((event) =>
      (event.type === "delivered" || event.type === "bounced") && event.messageId === id
    );
  }
  assertEquals(sink.senders.filter((sender) => sender.includes("evil")), []);
});

Deno.test("smuggling: the naive next hop would be fooled", async () => {
  await using sink = startNaiveSink();
  const ends = ["\n.\n", "\r.\r", "\r\n.\n", "\n.\r\n", "\r\0\n.\r\n"];
  const dialogues = ends.map((end) => `${ENVELOPE}DATA\r\n${messageWith(end)}${TRUE_END}QUIT\r\n`);
  const conns = await Promise.all(dialogues.map(async (dialogue) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: sink.port });
    await conn.write(new TextEncoder().encode(dialogue));
    return conn;
  }));
  await sink.waitForMessages(2 * ends.length);
  assertEquals(sink.senders.filter((sender) => sender.includes("evil")).length, ends.length);
  for (const conn of conns) conn.close();
});
