/** Every turn that a mail transaction may take, by what the server says. */
import { assertEquals, assertRejects } from "@std/assert";
import type { SmtpClientOptions } from "../../../src/smtp/client/client.ts";
import { type Heard, inWords, openedClient, opening, request } from "./played_conn.ts";

const MAIL = "MAIL FROM:<a@x.test> BODY=8BITMIME\r\n";
const RCPT = (name: string) => `RCPT TO:<${name}@y.test> NOTIFY=NEVER\r\n`;
const BODY = "Subject: x\r\n\r\n..Text\r\n.\r\n";
const [B, C] = ["b@y.test", "c@y.test"];
const OK = "250 2.0.0 ok\r\n";

interface Play {
  readonly extensions?: readonly string[];
  readonly heard: readonly Heard[];
  readonly to?: readonly string[];
  readonly message?: Parameters<typeof request>[1];
  readonly options?: Partial<SmtpClientOptions>;
}

async function play({ extensions = [], heard, to = [B], message, options }: Play) {
  const bench = await openedClient([...opening(...extensions), ...heard], options);
  const { client, conn, signal } = bench;
  const result = await client.transact(request(to, message), { signal });
  const { recipients, begun, finished } = result;
  return { ...bench, said: conn.said, words: inWords(recipients), begun, finished };
}

/** Name, what is heard, what was said, results, and whether begun, finished, usable. */
type Case = readonly [
  string,
  Play,
  { said: string; words: readonly string[]; flags: readonly [boolean, boolean, boolean] },
];

const DATA = "354 go\r\n";
const PIPELINED = ["PIPELINING"];
const CHUNKED = ["CHUNKING"];
const BOTH = ["PIPELINING", "CHUNKING"];
const TEXT = "Subject: x\r\n\r\n.Text\r\n";
const BDAT = `BDAT ${TEXT.length} LAST\r\n${TEXT}`;

const CASES: readonly Case[] = [
  ["one command after the other", { heard: [OK, OK, DATA, OK] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["MAIL refused ends it", { heard: ["550 5.1.8 no\r\n"] }, {
    ...{ said: MAIL, words: ["mail 550 5.1.8 no"], flags: [true, false, true] },
  }],
  ["one recipient of two refused", { to: [B, C], heard: [OK, "550 5.1.1 no\r\n", OK, DATA, OK] }, {
    said: `${MAIL}${RCPT("b")}${RCPT("c")}DATA\r\n${BODY}`,
    words: ["rcpt 550 5.1.1 no", "dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["all recipients refused: no DATA", { heard: [OK, "450 4.2.1 later\r\n"] }, {
    said: `${MAIL}${RCPT("b")}`,
    words: ["rcpt 450 4.2.1 later"],
    flags: [true, false, true],
  }],
  ["DATA refused", { heard: [OK, OK, "451 4.3.0 later\r\n"] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n`,
    words: ["data 451 4.3.0 later"],
    flags: [true, false, true],
  }],
  ["the message refused", { to: [B, C], heard: [OK, OK, OK, DATA, "554 5.7.1 spam\r\n"] }, {
    said: `${MAIL}${RCPT("b")}${RCPT("c")}DATA\r\n${BODY}`,
    words: ["dot 554 5.7.1 spam", "dot 554 5.7.1 spam"],
    flags: [true, true, true],
  }],
  ["closed at MAIL", { heard: [null] }, {
    ...{ said: MAIL, words: ["lost mail closed"], flags: [false, false, false] },
  }],
  ["reset at RCPT", { heard: [OK, new Error("reset")] }, {
    said: `${MAIL}${RCPT("b")}`,
    words: ["lost rcpt reset"],
    flags: [true, false, false],
  }],
  ["closed at DATA", { heard: [OK, OK, null] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n`,
    words: ["lost data closed"],
    flags: [true, false, false],
  }],
  ["closed after the dot", { heard: [OK, OK, DATA, null] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["uncertain dot closed"],
    flags: [true, false, false],
  }],
  ["421 at MAIL", { heard: ["421 4.3.2 bye\r\n"] }, {
    ...{ said: MAIL, words: ["mail 421 4.3.2 bye"], flags: [false, false, false] },
  }],
  ["421 at RCPT settles only the open", {
    to: [B, C],
    heard: [OK, "550 5.1.1 no\r\n", "421 bye\r\n"],
  }, {
    said: `${MAIL}${RCPT("b")}${RCPT("c")}`,
    words: ["rcpt 550 5.1.1 no", "rcpt 421 bye"],
    flags: [true, false, false],
  }],
  ["421 after the dot", { heard: [OK, OK, DATA, "421 4.3.2 bye\r\n"] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["dot 421 4.3.2 bye"],
    flags: [true, false, false],
  }],
  ["354 to MAIL fits nowhere", { heard: [DATA] }, {
    ...{ said: MAIL, words: ["lost mail out_of_step"], flags: [false, false, false] },
  }],
  ["354 to RCPT fits nowhere", { heard: [OK, DATA] }, {
    said: `${MAIL}${RCPT("b")}`,
    words: ["lost rcpt out_of_step"],
    flags: [true, false, false],
  }],
  ["250 to DATA fits nowhere", { heard: [OK, OK, OK] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n`,
    words: ["lost data out_of_step"],
    flags: [true, false, false],
  }],
  ["354 twice after the dot fits nowhere", { heard: [OK, OK, DATA, DATA, DATA] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["uncertain dot out_of_step"],
    flags: [true, false, false],
  }],
  ["no reply at all, but a line", { heard: ["hello\r\n"] }, {
    ...{ said: MAIL, words: ["lost mail out_of_step"], flags: [false, false, false] },
  }],
  ["in a group", { extensions: PIPELINED, heard: [OK, OK, DATA, OK] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["in a group, MAIL refused", {
    extensions: PIPELINED,
    heard: ["550 5.1.8 no\r\n", "503 5.5.1 order\r\n", "503 5.5.1 order\r\n"],
  }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n`,
    words: ["mail 550 5.1.8 no"],
    flags: [true, false, true],
  }],
  ["in a group, all refused but DATA taken: nothing is sent", {
    ...{ extensions: PIPELINED, heard: [OK, "550 5.1.1 no\r\n", DATA, "554 5.5.1 nobody\r\n"] },
  }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n.\r\n`,
    words: ["rcpt 550 5.1.1 no"],
    flags: [true, true, true],
  }],
  ["in a group, all refused, and closed after nothing", {
    ...{ extensions: PIPELINED, heard: [OK, "550 5.1.1 no\r\n", DATA, null] },
  }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n.\r\n`,
    words: ["rcpt 550 5.1.1 no"],
    flags: [true, false, false],
  }],
  ["in a group, closed before its answers", { extensions: PIPELINED, heard: [null] }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n`,
    words: ["lost mail closed"],
    flags: [false, false, false],
  }],
  ["by chunk", { extensions: CHUNKED, heard: [OK, OK, OK] }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["by chunk, all recipients refused", { extensions: CHUNKED, heard: [OK, "550 no\r\n"] }, {
    said: `${MAIL}${RCPT("b")}`,
    words: ["rcpt 550 no"],
    flags: [true, false, true],
  }],
  ["by chunk, refused: what it leaves is not known", {
    ...{ extensions: CHUNKED, heard: [OK, OK, "554 5.6.0 no\r\n"] },
  }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["dot 554 5.6.0 no"],
    flags: [true, false, true],
  }],
  ["of a size nobody knows: no chunk", {
    ...{ extensions: CHUNKED, heard: [OK, OK, DATA, OK], message: { sizeBytes: null } },
  }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["with its commands in one write", { extensions: BOTH, heard: [OK, OK, OK] }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["with its commands, all recipients refused: the chunk's answer is read", {
    extensions: BOTH,
    heard: [OK, "550 5.1.1 no\r\n", "554 5.5.1 nobody\r\n"],
  }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["rcpt 550 5.1.1 no"],
    flags: [true, false, true],
  }],
  ["with its commands, closed at once: it may be taken", { extensions: BOTH, heard: [null] }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["uncertain mail closed"],
    flags: [false, false, false],
  }],
  ["with its commands, a reply that fits nowhere: it may be taken", {
    ...{ extensions: BOTH, heard: [OK, DATA] },
  }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["uncertain rcpt out_of_step"],
    flags: [true, false, false],
  }],
  ["a stream in pieces", { heard: [OK, OK, DATA, OK], message: { isStream: true } }, {
    said: `${MAIL}${RCPT("b")}DATA\r\n${BODY}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["a stream by chunk", { extensions: BOTH, heard: [OK, OK, OK], message: { isStream: true } }, {
    said: `${MAIL}${RCPT("b")}${BDAT}`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
  ["without dots to double", {
    ...{ heard: [OK, OK, DATA, OK], message: { text: "a\r\n", dotLines: 0 } },
  }, {
    said: `${MAIL}${RCPT("b")}DATA\r\na\r\n.\r\n`,
    words: ["dot 250 2.0.0 ok"],
    flags: [true, true, true],
  }],
];

for (const [name, given, { said, words, flags }] of CASES) {
  Deno.test(`transaction: ${name}`, async () => {
    const found = await play(given);
    assertEquals(found.words, [...words]);
    assertEquals(found.said, said);
    assertEquals([found.begun, found.finished, found.client.isUsable], [...flags]);
    assertEquals(found.conn.isClosed, !flags[2]);
    found.deadlines[Symbol.dispose]();
  });
}

Deno.test("transaction: commands of a group leave in one write, and a small chunk with them", async () => {
  const data = await play({ extensions: PIPELINED, heard: [OK, OK, DATA, OK] });
  assertEquals(data.conn.written.length, 2);
  const chunk = await play({ extensions: BOTH, heard: [OK, OK, OK] });
  assertEquals(chunk.conn.written.length, 1);
  const single = await play({ heard: [OK, OK, DATA, OK] });
  assertEquals(single.conn.written.length, 4);
});

for (const [bytes, writes] of [[65_536, 1], [65_537, 3]] as const) {
  Deno.test(`transaction: ${bytes} octets leave in ${writes} writes of 64 KiB and less`, async () => {
    const text = "x".repeat(bytes - 2) + "\r\n";
    const message = { text, dotLines: 0 };
    const found = await play({ heard: [OK, OK, DATA, OK], message });
    assertEquals(found.conn.written.slice(3).length, writes);
    assertEquals(found.conn.said.slice(-(bytes + 3)), `${text}.\r\n`);
    const chunked = await play({ extensions: BOTH, heard: [OK, OK, OK], message });
    assertEquals(chunked.conn.said.endsWith(`BDAT ${bytes} LAST\r\n${text}`), true);
    assertEquals(chunked.words, ["dot 250 2.0.0 ok"]);
  });
}

Deno.test("transaction: a body that is not as long as it says is an error, and the end", async () => {
  for (const extensions of [[], CHUNKED]) {
    const bench = await openedClient([...opening(...extensions), OK, OK, DATA, OK]);
    const wrong = request([B], { isStream: true, sizeBytes: 7 });
    await assertRejects(
      () => bench.client.transact(wrong, { signal: bench.signal }),
      Error,
      `Cannot send a message: it has 7 octets, got ${TEXT.length}`,
    );
    assertEquals([bench.client.isUsable, bench.conn.isClosed], [false, true]);
  }
});

Deno.test("transaction: a server that refuses in the middle of a message is heard", async () => {
  const answers: readonly (readonly [Heard, string])[] = [
    ["552 5.3.4 too large\r\n", "body 552 5.3.4 too large"],
    ["250 ok\r\n", "lost body out_of_step"],
    [null, "lost body closed"],
  ];
  for (const [answer, words] of answers) {
    const bench = await openedClient([...opening(), OK, OK, DATA, answer]);
    bench.conn.writesLeft = 4;
    const long = request([B], { isStream: true });
    const { recipients, finished } = await bench.client.transact(long, { signal: bench.signal });
    assertEquals([inWords(recipients), finished], [[words], false]);
    assertEquals([bench.client.isUsable, bench.conn.isClosed], [false, true]);
  }
});

Deno.test("transaction: a chunk whose last octets may have left may be taken", async () => {
  const bench = await openedClient([...opening(...CHUNKED), OK, OK, null]);
  bench.conn.writesLeft = 2 + 1 + 2; // MAIL, RCPT, BDAT and two pieces of three
  const stream = request([B], { isStream: true });
  const { recipients } = await bench.client.transact(stream, { signal: bench.signal });
  assertEquals(inWords(recipients), ["uncertain dot closed"]);
});

Deno.test("transaction: RSET stands before the next where the last did not end", async () => {
  for (
    const [extensions, heard] of [[[], []], [PIPELINED, [
      "503 order\r\n",
      "503 order\r\n",
    ]]] as const
  ) {
    const bench = await openedClient([...opening(...extensions), "450 no\r\n", ...heard]);
    const { client, conn, signal } = bench;
    await client.transact(request([B]), { signal });
    conn.written.length = 0;
    conn.hear(OK, OK, OK, DATA, OK);
    const second = await client.transact(request([B]), { signal });
    assertEquals(inWords(second.recipients), ["dot 250 2.0.0 ok"]);
    assertEquals(conn.said, `RSET\r\n${MAIL}${RCPT("b")}DATA\r\n${BODY}`);
    conn.written.length = 0;
    conn.hear(OK, OK, DATA, OK);
    await client.transact(request([B]), { signal });
    assertEquals(conn.said.startsWith("MAIL"), true);
    assertEquals(client.transactions, 3);
  }
});

Deno.test("transaction: an LMTP server's 421 ends it for those it has not answered", async () => {
  const heard = [OK, OK, OK, DATA, OK, "421 4.3.2 bye\r\n"];
  const options = { protocol: "lmtp" } as const;
  const found = await play({ to: [B, C], heard, options });
  assertEquals(found.words, ["dot 250 2.0.0 ok", "dot 421 4.3.2 bye"]);
  assertEquals([found.finished, found.client.isUsable], [false, false]);
});

Deno.test("transaction: the transcript tells what was said, heard and left out", async () => {
  const { transcript } = await play({ heard: [OK, OK, DATA, OK] });
  assertEquals(
    transcript.lines().slice(2),
    [
      ...["C: EHLO relay.test", "S: 250 mx.test"].slice(2),
      `C: ${MAIL.trimEnd()}`,
      "S: 250 2.0.0 ok",
      `C: ${RCPT("b").trimEnd()}`,
      "S: 250 2.0.0 ok",
      "C: DATA",
      "S: 354 go",
      `-- Message of ${TEXT.length} octets, then the final dot`,
      "S: 250 2.0.0 ok",
    ].slice(-8).toSpliced(0, 0, "S: 250 mx.test"),
  );
  const stream = await play({
    heard: [OK, OK, DATA, OK],
    message: { isStream: true, sizeBytes: null },
  });
  assertEquals(
    stream.transcript.lines().includes("-- Message of unknown octets, then the final dot"),
    true,
  );
  const chunk = await play({ extensions: BOTH, heard: [OK, OK, OK] });
  assertEquals(chunk.transcript.lines().some((line) => line.includes("Text")), false);
  assertEquals(chunk.transcript.lines().includes(`C: BDAT ${TEXT.length} LAST`), true);
  const separate = await play({ extensions: CHUNKED, heard: [OK, OK, OK] });
  assertEquals(separate.transcript.lines().some((line) => line.includes("Text")), false);
  assertEquals(separate.transcript.lines().includes(`C: BDAT ${TEXT.length} LAST`), true);
});
