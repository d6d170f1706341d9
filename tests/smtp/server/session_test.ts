import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { reply } from "../../../src/mail/reply.ts";
import { ACCEPT, refuse } from "../../../src/policy/decision.ts";
import { OPEN_POLICY, type ServerPolicy } from "../../../src/reception/policy.ts";
import type { CommitResult } from "../../../src/smtp/server/sink.ts";
import { settle } from "../../support/manual_clock.ts";
import type { MemoryConn } from "./memory_conn.ts";
import { sessionSetup } from "./session_setup.ts";

const ENVELOPE = "HELO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.com>\r\n";

Deno.test("session: a pipelined group is answered in one write", async () => {
  await using setup = sessionSetup();
  const { conn } = setup.connect();
  conn.send("EHLO c.example\r\n");
  await settle();
  conn.takeOutput();
  const before = conn.writes;
  conn.send("MAIL FROM:<a@b.example>\r\n" + "RCPT TO:<c@example.com>\r\n".repeat(9) + "DATA\r\n");
  await settle();
  assertEquals(conn.takeOutput().split("\r\n").length, 12);
  assertEquals(conn.writes - before, 1);
});

Deno.test("session: decisions that take time keep their order", async () => {
  const slow = () => Promise.resolve().then(() => ACCEPT);
  const policy = { ...OPEN_POLICY, connect: slow, helo: slow, mail: slow, rcpt: slow };
  await using setup = sessionSetup({ policy });
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}NOOP\r\nDATA\r\nx\r\n.\r\nQUIT\r\n`);
  await done;
  assertEquals(codes(conn), "220 250 250 250 250 354 250 221");
});

Deno.test("session: others get their turn while a refused message is read to its end", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  conn.send(`HELO c.example\r\n${ENVELOPE}DATA\r\n`);
  await settle();
  for (let piece = 0; piece < 100; piece++) conn.send("\n".repeat(10_000));
  conn.send("\r\n.\r\nQUIT\r\n");
  const order: string[] = [];
  const other = new Promise<void>((resolve) => setTimeout(resolve, 0));
  await Promise.all([other.then(() => order.push("other")), done.then(() => order.push("done"))]);
  assertEquals(order, ["other", "done"]);
  assertEquals(codes(conn), "220 250 250 250 250 354 554 221");
});

Deno.test("session: a refused HELO leaves the session as it was", async () => {
  const helo: ServerPolicy["helo"] = (facts) =>
    facts.helo === "bad" ? refuse(reply(550, "5.7.1", "No")) : ACCEPT;
  await using setup = sessionSetup({ policy: { ...OPEN_POLICY, helo } });
  const { conn, done } = setup.connect();
  conn.send(`HELO bad\r\n${ENVELOPE}HELO bad\r\nDATA\r\n.\r\nQUIT\r\n`);
  await done;
  assertEquals(codes(conn), "220 550 250 250 250 550 354 250 221");
  assertEquals(setup.sink.stored[0]?.origin.helo, "c.example");
});

Deno.test("session: a decision that fails is 451 and told as trouble", async () => {
  const rcpt = () => Promise.reject(new Error("lookup"));
  const mail: ServerPolicy["mail"] = (_facts, { sender }) => {
    if (sender === null) throw new Error("bug");
    return ACCEPT;
  };
  await using setup = sessionSetup({ policy: { ...OPEN_POLICY, mail, rcpt } });
  const { conn, done } = setup.connect();
  conn.send(`HELO c.example\r\nMAIL FROM:<>\r\n${ENVELOPE}NOOP\r\nQUIT\r\n`);
  await done;
  assertEquals(codes(conn), "220 250 451 250 250 451 250 221");
  assertEquals(setup.events.filter(({ type }) => type === "trouble").length, 2);
});

Deno.test("session: a connection that cannot be judged is 421", async () => {
  const connect = () => Promise.reject(new Error("lookup"));
  await using setup = sessionSetup({ policy: { ...OPEN_POLICY, connect } });
  const { conn, done } = setup.connect();
  await done;
  assertEquals(codes(conn), "421");
});

Deno.test("session: a reply that cannot be encoded is replaced", async () => {
  const mail = () => refuse(reply(550, "5.7.1", "evil\r\n250 text"));
  await using setup = sessionSetup({ policy: { ...OPEN_POLICY, mail } });
  const { conn, done } = setup.connect();
  conn.send("HELO c.example\r\nMAIL FROM:<a@b.example>\r\nQUIT\r\n");
  await done;
  assertEquals(codes(conn), "220 250 451 221");
});

Deno.test("session: a writer that breaks ends the session with 421", async () => {
  await using setup = sessionSetup();
  setup.sink.backPressure = () => Promise.reject(new Error("bug"));
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}DATA\r\nx\r\n.\r\nQUIT\r\n`);
  await done;
  assertEquals(codes(conn), "220 250 250 250 354 421");
});

Deno.test("session: the 250 waits for the commit, and no time limit runs meanwhile", async () => {
  await using setup = sessionSetup();
  const commit = Promise.withResolvers<CommitResult>();
  setup.sink.result = commit.promise;
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}DATA\r\nx\r\n.\r\nQUIT\r\n`);
  await setup.clock.advance(3_600_000);
  assertEquals(codes(conn), "220 250 250 250 354");
  commit.resolve({ kind: "stored" });
  await done;
  assertEquals(codes(conn), "250 221");
});

Deno.test("session: back-pressure holds the reading", async () => {
  await using setup = sessionSetup();
  const gate = Promise.withResolvers<void>();
  setup.sink.backPressure = () => gate.promise;
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}DATA\r\n`);
  for (let piece = 0; piece < 10; piece++) conn.send(`..line ${piece}\r\n`);
  conn.send(".\r\nQUIT\r\n");
  await settle();
  assertEquals(codes(conn), "220 250 250 250 354");
  gate.resolve();
  await done;
  assertEquals(codes(conn), "250 221");
  assertEquals(setup.sink.stored[0]?.facts.dotLines, 10);
});

Deno.test("session: events tell the session from beginning to end", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect("203.0.113.9");
  conn.send(`${ENVELOPE}RCPT TO:<x@elsewhere.example>\r\nDATA\r\n1234\r\n.\r\nQUIT\r\n`);
  await done;
  assertEquals(setup.events.map(({ type }) => type), [
    "session_opened",
    "command_refused",
    "accepted",
    "session_closed",
  ]);
  const [, refused, accepted, closed] = setup.events;
  assertEquals({ ...refused, sessionId: "" }, {
    type: "command_refused",
    sessionId: "",
    listener: "test",
    clientAddress: "203.0.113.9",
    verb: "RCPT",
    reply: "550 5.7.1 Relaying denied",
    cause: "the client is not trusted and the recipient domain is not ours",
  });
  assertEquals({ ...accepted, sessionId: "" }, {
    type: "accepted",
    sessionId: "",
    messageId: "MESSAGE000000001",
    listener: "test",
    clientAddress: "203.0.113.9",
    reversePath: "a@b.example",
    recipients: 1,
    sizeBytes: 6,
  });
  assertEquals(closed?.type === "session_closed" && closed.messages, 1);
});

Deno.test("session: a client that takes nothing is cut when its time is up", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  await settle();
  conn.stall();
  conn.send("NOOP\r\n");
  await setup.clock.advance(301_000);
  await done;
  const closed = setup.events.at(-1);
  assertEquals(closed?.type === "session_closed" && closed.reason, "timeout");
});

Deno.test("session: a client that does not even take the 421 is cut", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  await settle();
  conn.stall();
  await setup.clock.advance(306_000);
  await done;
  const closed = setup.events.at(-1);
  assertEquals(closed?.type === "session_closed" && closed.reason, "timeout");
});

Deno.test("session: a client that vanishes in its message leaves nothing open", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}DATA\r\nhalf`);
  await settle();
  conn.close();
  await done;
  assertEquals([setup.sink.begun, setup.sink.aborted, setup.sink.stored.length], [1, 1, 0]);
});

Deno.test("session: a message of many reads comes through as it is", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  const message = "Subject: x\r\n\r\n" + ("x".repeat(1200) + "\r\n").repeat(500);
  conn.send(`${ENVELOPE}DATA\r\n`);
  conn.send(encodeText(`${message}.\r\nQUIT\r\n`));
  await done;
  assertEquals(codes(conn), "220 250 250 250 354 250 221");
  const { body, facts } = setup.sink.stored[0] ?? {};
  assert(decodeText(body ?? new Uint8Array()) === message);
  assertEquals(facts, {
    sizeBytes: 601_014,
    eightBit: false,
    dotLines: 0,
    longestLineBytes: 1200,
    lineOriented: true,
  });
});

Deno.test("server: after shutdown began, connections get 421 instead of the greeting", async () => {
  await using setup = sessionSetup();
  await setup.server.shutdown();
  const { conn, done } = setup.connect();
  await done;
  assertMatch(conn.takeOutput(), /^421 4\.3\.2 [^\r]*\r\n$/);
});

Deno.test("server: a shutdown that lasts too long cuts what is left", async () => {
  await using setup = sessionSetup();
  const { conn, done } = setup.connect();
  conn.send(`${ENVELOPE}DATA\r\nhalf`);
  await settle();
  const cut = new AbortController();
  const stopped = setup.server.shutdown({ signal: cut.signal });
  await settle();
  assertEquals(setup.server.sessions, 1);
  cut.abort();
  await Promise.all([stopped, done]);
  assertEquals(setup.server.sessions, 0);
  assertEquals(setup.sink.aborted, 1);
});

/** The codes of all that the server said since the last call. */
function codes(conn: MemoryConn): string {
  const lines = conn.takeOutput().split("\r\n").filter((line) => line[3] === " ");
  return lines.map((line) => line.slice(0, 3)).join(" ");
}

Deno.test("session: Bcc is taken off for clients that may submit, and for no others", async () => {
  await using setup = sessionSetup();
  const message = "From: a@b.example\r\nBcc: h@x.example\r\nResent-Bcc: i@x.example\r\n\r\nx\r\n";
  for (const address of ["192.0.2.1", "203.0.113.1"]) {
    const { conn, done } = setup.connect(address);
    conn.send(`${ENVELOPE}DATA\r\n${message}.\r\nQUIT\r\n`);
    await done;
  }
  const [own, others] = setup.sink.stored;
  assertEquals(decodeText(own?.body ?? new Uint8Array()), "From: a@b.example\r\n\r\nx\r\n");
  assertEquals(decodeText(others?.body ?? new Uint8Array()), message);
});
