/** How a session opens, rests, is secured, runs out of time, is given up and ends. */
import { assertEquals } from "@std/assert";
import { formatReply } from "../../../src/mail/reply.ts";
import type { OpenResult, StartTlsResult } from "../../../src/smtp/client/client.ts";
import { DEFAULT_TIMEOUTS } from "../../../src/smtp/client/stage.ts";
import { settle } from "../../support/manual_clock.ts";
import {
  type Heard,
  inWords,
  openClient,
  openedClient,
  opening,
  PlayedConn,
  request,
} from "./played_conn.ts";

const OK = "250 2.0.0 ok\r\n";
const DATA = "354 go\r\n";
const UPGRADE = { role: "client", serverName: "mx.test", verify: "none" } as const;
const MINUTE_MS = 60_000;

function told(result: OpenResult | StartTlsResult): string {
  switch (result.kind) {
    case "refused":
      return `refused ${result.stage} ${formatReply(result.reply)}`;
    case "declined":
      return `declined ${formatReply(result.reply)}`;
    case "lost":
      return `lost ${result.lost.stage} ${result.lost.cause}`;
    default:
      return result.kind;
  }
}

Deno.test("client times: those of RFC 5321 4.5.3.2, and short ones for what can be left", () => {
  assertEquals(DEFAULT_TIMEOUTS, {
    ...{ greeting: 300_000, hello: 300_000, starttls: 60_000, auth: 60_000, mail: 300_000 },
    ...{ rcpt: 300_000, data: 120_000, body: 180_000, dot: 600_000, rset: 20_000, quit: 2_000 },
  });
});

const OPENINGS: readonly (readonly [readonly Heard[], string, string])[] = [
  [opening(), "open", "EHLO relay.test\r\n"],
  [["554 5.3.2 go away\r\n"], "refused greeting 554 5.3.2 go away", ""],
  [["421 busy\r\n"], "refused greeting 421 busy", ""],
  [["354 what\r\n"], "refused greeting 354 what", ""],
  [[null], "lost greeting closed", ""],
  [[new Error("reset")], "lost greeting reset", ""],
  [["SSH-2.0\r\n"], "lost greeting out_of_step", ""],
  [["220 x\r\n", null], "lost hello closed", "EHLO relay.test\r\n"],
  [["220 x\r\n", "421 bye\r\n"], "refused hello 421 bye", "EHLO relay.test\r\n"],
  [["220 x\r\n", "502 no\r\n", "250 x\r\n"], "open", "EHLO relay.test\r\nHELO relay.test\r\n"],
  [
    ["220 x\r\n", "500 no\r\n", "550 no\r\n"],
    "refused hello 550 no",
    "EHLO relay.test\r\nHELO relay.test\r\n",
  ],
  [
    ["220 x\r\n", "500 no\r\n", null],
    "lost hello closed",
    "EHLO relay.test\r\nHELO relay.test\r\n",
  ],
];

for (const [heard, result, said] of OPENINGS) {
  Deno.test(`client session: ${JSON.stringify(heard)} opens as ${result}`, async () => {
    const { conn, opened } = openClient(heard);
    assertEquals([told(await opened), conn.said, conn.isClosed], [result, said, result !== "open"]);
  });
}

Deno.test("client session: LMTP greets by LHLO and knows no older greeting", async () => {
  const options = { protocol: "lmtp" } as const;
  const { conn, opened } = openClient(["220 x\r\n", "500 no\r\n"], options);
  assertEquals([told(await opened), conn.said], ["refused hello 500 no", "LHLO relay.test\r\n"]);
});

Deno.test("client session: what a server offers and calls itself is known, what is ignored is not", async () => {
  const ignoredExtensions = new Set(["CHUNKING"]);
  const heard = ["220 x\r\n", "250-MX.Test hello you\r\n250-pipelining\r\n250 CHUNKING\r\n"];
  const { client } = await openedClient(heard, { ignoredExtensions });
  const { pipelining, chunking } = client.capabilities;
  assertEquals([client.serverName, pipelining, chunking], ["mx.test", true, false]);
  const plain = await openedClient(["220 x\r\n", "502 no\r\n", "250 old.test PIPELINING\r\n"]);
  assertEquals([plain.client.serverName, plain.client.capabilities.pipelining], [
    "old.test",
    false,
  ]);
});

const WAITS: readonly (readonly [string, readonly Heard[], number, string])[] = [
  ["greeting", [], 5, "lost greeting timeout"],
  ["hello", ["220 x\r\n"], 5, "lost hello timeout"],
];

for (const [stage, heard, minutes, result] of WAITS) {
  Deno.test(`client session: a server that says nothing at ${stage} has ${minutes} minutes`, async () => {
    const { conn, opened, clock } = openClient(heard);
    await settle();
    await clock.advance(minutes * MINUTE_MS - 1);
    assertEquals(conn.isClosed, false);
    await clock.advance(2_000);
    assertEquals([told(await opened), conn.isClosed], [result, true]);
  });
}

const MAIL_WAITS: readonly (readonly [string, readonly Heard[], number, string])[] = [
  ["MAIL", [], 5, "lost mail timeout"],
  ["RCPT", [OK], 5, "lost rcpt timeout"],
  ["DATA", [OK, OK], 2, "lost data timeout"],
  ["the dot", [OK, OK, DATA], 10, "uncertain dot timeout"],
];

for (const [stage, heard, minutes, words] of MAIL_WAITS) {
  Deno.test(`client session: a server that says nothing at ${stage} has ${minutes} minutes`, async () => {
    const { client, conn, clock, signal, transcript } = await openedClient([
      ...opening(),
      ...heard,
    ]);
    const running = client.transact(request(["b@y.test"]), { signal });
    await settle();
    await clock.advance(minutes * MINUTE_MS - 1);
    assertEquals(conn.isClosed, false);
    await clock.advance(2_000);
    assertEquals(inWords((await running).recipients), [words]);
    assertEquals(transcript.lines().at(-1), "-- No answer in time, connection closed");
  });
}

Deno.test("client session: a message that left with its commands gets the time of the dot", async () => {
  const heard = opening("PIPELINING", "CHUNKING");
  const { client, conn, clock, signal } = await openedClient(heard);
  const running = client.transact(request(["b@y.test"]), { signal });
  await settle();
  await clock.advance(10 * MINUTE_MS - 1);
  assertEquals(conn.isClosed, false);
  await clock.advance(2_000);
  assertEquals(inWords((await running).recipients), ["uncertain mail timeout"]);
});

Deno.test("client session: an answer in time stops the clock", async () => {
  const { client, conn, clock, signal } = await openedClient([...opening(), OK, OK, DATA, OK]);
  await client.transact(request(["b@y.test"]), { signal });
  await clock.advance(60 * MINUTE_MS);
  assertEquals([client.isUsable, conn.isClosed], [true, false]);
});

Deno.test("client session: what is given up before the message left ends at once", async () => {
  const { client, conn, abort, signal, transcript } = await openedClient([...opening(), OK]);
  const running = client.transact(request(["b@y.test"]), { signal });
  await settle();
  abort.abort();
  assertEquals(conn.isClosed, true);
  assertEquals(inWords((await running).recipients), ["lost rcpt aborted"]);
  assertEquals(transcript.lines().at(-1), "-- Cancelled, connection closed");
});

Deno.test("client session: what is given up after the dot waits a little for its answer", async () => {
  for (const answer of [OK, null]) {
    const bench = await openedClient([...opening(), OK, OK, DATA], { abortGraceMs: 5000 });
    const { client, conn, abort, signal, clock } = bench;
    const running = client.transact(request(["b@y.test"]), { signal });
    await settle();
    abort.abort();
    await clock.advance(4_999);
    assertEquals(conn.isClosed, false);
    if (answer !== null) conn.hear(answer);
    else await clock.advance(2_000);
    const { recipients } = await running;
    assertEquals(inWords(recipients), [
      answer === null ? "uncertain dot aborted" : "dot 250 2.0.0 ok",
    ]);
  }
});

Deno.test("client session: what is given up before it begins says nothing", async () => {
  const { client, conn, abort, signal } = await openedClient([...opening(), OK]);
  abort.abort();
  const { recipients } = await client.transact(request(["b@y.test"]), { signal });
  assertEquals([inWords(recipients), conn.said], [["lost hello aborted"], ""]);
});

Deno.test("client session: a signal that is over takes no later session with it", async () => {
  const { client, abort, signal } = await openedClient([...opening(), OK, OK, DATA, OK]);
  await client.transact(request(["b@y.test"]), { signal });
  abort.abort();
  assertEquals(client.isUsable, true);
});

const IDLE: readonly (readonly [Heard, string])[] = [
  ["421 4.4.2 idle too long\r\n", "out_of_step"],
  ["250 unasked\r\n", "out_of_step"],
  ["2", "out_of_step"],
  [null, "closed"],
  [new Error("reset"), "reset"],
];

for (const [heard, cause] of IDLE) {
  Deno.test(`client session: ${JSON.stringify(heard)} on a connection at rest ends it`, async () => {
    const { client, conn, signal } = await openedClient(opening());
    client.rest();
    client.rest();
    await settle();
    assertEquals(client.isUsable, true);
    conn.hear(heard);
    await settle();
    assertEquals([client.isUsable, conn.isClosed], [false, true]);
    const { recipients } = await client.transact(request(["b@y.test"]), { signal });
    assertEquals([inWords(recipients), conn.said], [[`lost hello ${cause}`], ""]);
  });
}

Deno.test("client session: octets that came with the last answer end a connection that would rest", async () => {
  const { client, conn, signal } = await openedClient([
    ...opening(),
    OK,
    OK,
    DATA,
    `${OK}250 more\r\n`,
  ]);
  await client.transact(request(["b@y.test"]), { signal });
  assertEquals(client.isUsable, true);
  client.rest();
  assertEquals([client.isUsable, conn.isClosed], [false, true]);
});

Deno.test("client session: a connection that rested is used again", async () => {
  const { client, conn, signal } = await openedClient(opening());
  client.rest();
  await settle();
  const running = client.transact(request(["b@y.test"]), { signal });
  await settle();
  conn.hear(OK, OK, DATA, OK);
  assertEquals(inWords((await running).recipients), ["dot 250 2.0.0 ok"]);
  client.rest();
  await settle();
  assertEquals(client.isUsable, true);
});

const TLS_INFO = { version: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256" };

function secured(heard: readonly Heard[]): PlayedConn {
  const conn = new PlayedConn(heard);
  conn.tls = TLS_INFO;
  return conn;
}

Deno.test("client session: STARTTLS greets again, and forgets what was offered in plain", async () => {
  const heard = [...opening("STARTTLS", "SIZE 5"), "220 2.0.0 go\r\n"];
  const { client, conn, signal, transcript } = await openedClient(heard);
  const inside = secured(["250-mx.test\r\n250 PIPELINING\r\n"]);
  conn.secured = inside;
  assertEquals(told(await client.startTls(UPGRADE, { signal })), "secured");
  assertEquals(conn.upgrades, [{ ...UPGRADE, timeoutMs: 60_000 }]);
  assertEquals([conn.said, inside.said], ["STARTTLS\r\n", "EHLO relay.test\r\n"]);
  assertEquals([client.capabilities.size, client.capabilities.pipelining], [false, true]);
  assertEquals(client.tls, TLS_INFO);
  assertEquals(transcript.lines().includes("-- TLS: TLSv1.3 TLS_AES_128_GCM_SHA256"), true);
});

Deno.test("client session: what was offered in plain is forgotten, though inside TLS nothing is", async () => {
  const heard = [...opening("STARTTLS", "SIZE 5", "PIPELINING"), "220 2.0.0 go\r\n"];
  const { client, conn, signal } = await openedClient(heard);
  const inside = secured(["502 5.5.1 what?\r\n", "250 mx.test\r\n"]);
  conn.secured = inside;
  assertEquals(told(await client.startTls(UPGRADE, { signal })), "secured");
  assertEquals(inside.said, "EHLO relay.test\r\nHELO relay.test\r\n");
  const { size, pipelining, startTls } = client.capabilities;
  assertEquals([size, pipelining, startTls], [false, false, false]);
});

const TLS_ENDS: readonly (readonly [string, string, boolean])[] = [
  ["454 4.7.0 not now\r\n", "declined 454 4.7.0 not now", true],
  ["421 bye\r\n", "refused starttls 421 bye", false],
  ["220 go\r\n", "lost starttls tls", false],
  ["220 go\r\n250 injected\r\n", "lost starttls out_of_step", false],
  ["220 go\r\nx", "lost starttls out_of_step", false],
];

for (const [answer, result, isUsable] of TLS_ENDS) {
  Deno.test(`client session: ${JSON.stringify(answer)} to STARTTLS is ${result}`, async () => {
    const { client, conn, signal } = await openedClient([...opening("STARTTLS"), answer]);
    assertEquals(told(await client.startTls(UPGRADE, { signal })), result);
    assertEquals([client.isUsable, conn.isClosed], [isUsable, !isUsable]);
    assertEquals(conn.upgrades.length, result === "lost starttls tls" ? 1 : 0);
  });
}

Deno.test("client session: a server that refuses the greeting inside TLS is left", async () => {
  const { client, conn, signal } = await openedClient([...opening("STARTTLS"), "220 go\r\n"]);
  const inside = secured(["421 bye\r\n"]);
  conn.secured = inside;
  assertEquals(told(await client.startTls(UPGRADE, { signal })), "refused hello 421 bye");
  assertEquals([client.isUsable, inside.isClosed], [false, true]);
});

Deno.test("client session: a handshake that ends after it was given up is closed", async () => {
  const { client, conn, signal, abort } = await openedClient([
    ...opening("STARTTLS"),
    "220 go\r\n",
  ]);
  const inside = secured([]);
  const handshake = Promise.withResolvers<PlayedConn>();
  conn.upgradeToTls = () => handshake.promise;
  const running = client.startTls(UPGRADE, { signal });
  await settle();
  abort.abort();
  handshake.resolve(inside);
  assertEquals(told(await running), "lost starttls aborted");
  assertEquals(inside.isClosed, true);
});

Deno.test("client session: taking leave waits two seconds, and says nothing twice", async () => {
  const { client, conn, clock } = await openedClient(opening());
  const leaving = client.quit();
  await settle();
  assertEquals([conn.said, conn.isClosed], ["QUIT\r\n", false]);
  await clock.advance(4_000);
  await leaving;
  await client.quit();
  assertEquals([conn.said, conn.isClosed, client.isUsable], ["QUIT\r\n", true, false]);
});

Deno.test("client session: closing notes nothing, and a recorder can be changed", async () => {
  const { client, transcript } = await openedClient(opening());
  const lines = transcript.lines().length;
  client.recordTo(null);
  client.close();
  assertEquals(transcript.lines().length, lines);
  const other = await openedClient(opening());
  other.client.close();
  assertEquals(other.transcript.lines().some((line) => line.includes("closed")), false);
});
