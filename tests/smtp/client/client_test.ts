import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../src/base/clock.ts";
import { Deadlines } from "../../../src/base/deadlines.ts";
import { encodeText } from "../../../src/base/bytes.ts";
import { formatReply } from "../../../src/mail/reply.ts";
import { SmtpClient } from "../../../src/smtp/client/client.ts";
import type {
  ClientProtocol,
  RecipientResult,
  TransactionRequest,
} from "../../../src/smtp/client/transaction.ts";
import { dial } from "../../../src/net/dial.ts";
import {
  CLOSE,
  type Script,
  type ScriptedPeer,
  startScriptedPeer,
} from "../../support/scripted_peer.ts";

const { signal } = new AbortController();

/** A client in a session with a peer that follows `script`. */
class ClientSetup implements AsyncDisposable {
  readonly peer: ScriptedPeer;
  readonly #deadlines = new Deadlines({ clock: systemClock });
  #client: SmtpClient | null = null;

  constructor(script: Script) {
    this.peer = startScriptedPeer(script);
  }

  async open(protocol: ClientProtocol = "smtp"): Promise<SmtpClient> {
    const dialed = await dial({ address: "127.0.0.1", port: this.peer.port }, { timeoutMs: 5000 });
    assert(dialed.kind === "connected");
    const opened = await SmtpClient.open(dialed.conn, {
      heloName: "relay.example",
      protocol,
      deadlines: this.#deadlines,
      signal,
    });
    assert(opened.kind === "open");
    this.#client = opened.client;
    return opened.client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    await this.peer[Symbol.asyncDispose]();
    this.#deadlines[Symbol.dispose]();
  }
}

function request(...recipients: string[]): TransactionRequest {
  const bytes = encodeText("Subject: test\r\n\r\nHello\r\n");
  return {
    reversePath: "sender@origin.example",
    mailParameters: [],
    recipients: recipients.map((forwardPath) => ({ forwardPath, parameters: [] })),
    data: { sizeBytes: bytes.length, dotLines: 0, bytes, stream: () => [] as never },
  };
}

function inWords(results: readonly RecipientResult[]): string[] {
  return results.map((result) =>
    result.kind === "reply"
      ? `${result.stage} ${formatReply(result.reply)}`
      : `${result.kind} ${result.lost.stage} ${result.lost.cause}`
  );
}

Deno.test("an LMTP server answers for each recipient it took", async () => {
  await using setup = new ClientSetup({
    lmtp: true,
    answers: {
      "RCPT TO:<b@x>": "550 5.1.1 No such mailbox",
      ".": { inTurn: ["250 2.0.0 Kept", "452 4.2.2 Full", "250 2.0.0 Kept"] },
    },
  });
  const client = await setup.open("lmtp");
  assertEquals(setup.peer.lines, ["LHLO relay.example"]);
  const result = await client.transact(request("a@x", "b@x", "c@x", "d@x"), { signal });
  assertEquals(inWords(result.recipients), [
    "dot 250 2.0.0 Kept",
    "rcpt 550 5.1.1 No such mailbox",
    "dot 452 4.2.2 Full",
    "dot 250 2.0.0 Kept",
  ]);
  assertEquals(result.finished, true);
});

Deno.test("an LMTP server that closes between its answers leaves the rest uncertain", async () => {
  await using setup = new ClientSetup({
    lmtp: true,
    answers: { ".": { inTurn: ["250 2.0.0 Kept", [CLOSE]] } },
  });
  const client = await setup.open("lmtp");
  const result = await client.transact(request("a@x", "b@x", "c@x"), { signal });
  assertEquals(inWords(result.recipients), [
    "dot 250 2.0.0 Kept",
    "uncertain dot closed",
    "uncertain dot closed",
  ]);
  assertEquals([result.begun, client.isUsable], [true, false]);
});

Deno.test("a server that refuses RSET is not used any more", async () => {
  await using setup = new ClientSetup({
    extensions: [],
    answers: { MAIL: "451 4.3.0 Later", RSET: "500 5.5.1 What?" },
  });
  const client = await setup.open();
  const first = await client.transact(request("a@x"), { signal });
  assertEquals(inWords(first.recipients), ["mail 451 4.3.0 Later"]);
  const second = await client.transact(request("a@x"), { signal });
  assertEquals(inWords(second.recipients), ["lost rset out_of_step"]);
  assertEquals([second.begun, client.isUsable, client.transactions], [false, false, 2]);
});

Deno.test("nothing that is not one command line is sent as one", async () => {
  await using setup = new ClientSetup({});
  const client = await setup.open();
  const smuggled = request("a@x>\r\nRSET\r\nMAIL FROM:<b@x");
  await assertRejects(() => client.transact(smuggled, { signal }), RangeError, "line break");
});

Deno.test("quit takes leave and does not mind a server that says nothing", async () => {
  await using setup = new ClientSetup({ answers: { QUIT: [CLOSE] } });
  const client = await setup.open();
  await client.quit();
  await client.quit();
  assertEquals(setup.peer.lines, ["EHLO relay.example", "QUIT"]);
  assertEquals(client.isUsable, false);
});

Deno.test("more recipients than the network holds at once do not block each other", async () => {
  await using setup = new ClientSetup({ answers: { RCPT: `550 5.1.1 ${"No ".repeat(300)}` } });
  const client = await setup.open();
  const many = Array.from({ length: 20_000 }, (_, index) => `recipient-number-${index}@x`);
  const result = await client.transact(request(...many), { signal });
  assertEquals(result.recipients.filter(({ kind }) => kind === "reply").length, 20_000);
});

/** What real servers answer to the end of a message, and what it says. */
const ODD: readonly [name: string, answer: readonly string[], said: string][] = [
  ["an empty line first", ["\r\n", "250 2.0.0 Kept\r\n"], "250 2.0.0 Kept"],
  ["empty lines in one piece", ["\r\n\r\n250 2.0.0 Kept\r\n"], "250 2.0.0 Kept"],
  ["LF alone", ["250 2.0.0 Kept\n"], "250 2.0.0 Kept"],
  ["a code alone", ["250\r\n"], "250"],
  ["no space", ["250Kept\r\n"], "250 Kept"],
  ["a space first", [" 250 Kept\r\n"], "250 Kept"],
  ["two codes of success", ["250-Kept\r\n", "251 elsewhere\r\n"], "251 Kept elsewhere"],
  ["354 once more", ["354 Go on\r\n", "250 2.0.0 Kept\r\n"], "250 2.0.0 Kept"],
  ["octets of no charset", ["250 Gr\xfc\xdfe\r\n"], "250 Grüße"],
  ["a very long line", [`250 ${"x".repeat(100_000)}\r\n`], `250 ${"x".repeat(2048)}`],
];
for (const [name, answer, said] of ODD) {
  Deno.test(`an odd reply is read: ${name}`, async () => {
    await using setup = new ClientSetup({
      answers: { ".": { inTurn: [answer, "250 2.0.0 Kept"] } },
    });
    const client = await setup.open();
    for (const expected of [said, "250 2.0.0 Kept"]) {
      const { recipients } = await client.transact(request("a@x"), { signal });
      assertEquals(inWords(recipients), [`dot ${expected}`]);
    }
  });
}

for (const answer of ["250 2.0.0 Kept", "250-2.0.0 Kept\r\n"]) {
  Deno.test(`a reply that the connection ends with is read: ${JSON.stringify(answer)}`, async () => {
    await using setup = new ClientSetup({ answers: { ".": [answer, CLOSE] } });
    const client = await setup.open();
    const { recipients } = await client.transact(request("a@x"), { signal });
    assertEquals([inWords(recipients), client.isUsable], [["dot 250 2.0.0 Kept"], false]);
  });
}

for (const verb of ["MAIL", "RCPT", "DATA"]) {
  Deno.test(`a reply to ${verb} that the connection ends with is none`, async () => {
    await using setup = new ClientSetup({
      answers: { [verb]: [verb === "DATA" ? "354 Go on" : "250 2.0.0 OK", CLOSE] },
    });
    const client = await setup.open();
    const { recipients } = await client.transact(request("a@x"), { signal });
    assertEquals([inWords(recipients), client.isUsable], [
      [`lost ${verb.toLowerCase()} closed`],
      false,
    ]);
  });
}

/** What a client makes of STARTTLS that is answered with these octets. */
async function startTls(answer: readonly string[]) {
  await using setup = new ClientSetup({ extensions: ["STARTTLS"], answers: { STARTTLS: answer } });
  const client = await setup.open();
  const result = await client.startTls({ role: "client", serverName: "mx", verify: "none" }, {
    signal,
  });
  const words = result.kind === "lost" ? `${result.lost.stage} ${result.lost.cause}` : result.kind;
  return { words, isUsable: client.isUsable, tls: client.tls, lines: [...setup.peer.lines] };
}

for (const ahead of ["250-mx\r\n250 AUTH PLAIN\r\n", "250 AUTH", "2", "\r\n", "\x16\x03\x03"]) {
  Deno.test(`octets in front of the handshake end the session: ${JSON.stringify(ahead)}`, async () => {
    const { words, isUsable, tls, lines } = await startTls([`220 Go\r\n${ahead}`]);
    assertEquals([words, isUsable, tls], ["starttls out_of_step", false, null]);
    assertEquals(lines, ["EHLO relay.example", "STARTTLS"]); // nothing of a handshake was sent
  });
}

for (const farewell of ["250 2.1.0 Sender ok\r\n", "421 4.4.2 Bye\r\n", "2", "\r\n"]) {
  Deno.test(`what nobody asked for ends a session that waits: ${JSON.stringify(farewell)}`, async () => {
    const said = Promise.withResolvers<void>();
    const answers = { ".": { inTurn: [["250 Kept\r\n", said.promise, farewell]] } };
    await using setup = new ClientSetup({ answers });
    const client = await setup.open();
    const first = await client.transact(request("a@x"), { signal });
    assertEquals([inWords(first.recipients), client.isUsable], [["dot 250 Kept"], true]);
    client.rest();
    said.resolve();
    // The next transaction is after the octets on the wire, whether or not they were seen yet.
    await setup.peer.waitForLine(".");
    while (client.isUsable) await new Promise((resolve) => setTimeout(resolve, 1));
    const second = await client.transact(request("b@x"), { signal });
    assertEquals(inWords(second.recipients)[0]?.endsWith("out_of_step"), true);
    assertEquals(second.begun, false);
    assertEquals(setup.peer.messages.length, 1);
  });

  Deno.test(`the same, behind the last reply in one piece: ${JSON.stringify(farewell)}`, async () => {
    const answers = { ".": { inTurn: [[`250 Kept\r\n${farewell}`]] } };
    await using setup = new ClientSetup({ answers });
    const client = await setup.open();
    assertEquals(inWords((await client.transact(request("a@x"), { signal })).recipients), [
      "dot 250 Kept",
    ]);
    client.rest();
    assertEquals(client.isUsable, false);
  });
}

Deno.test("nothing listens to a signal any more when what it was for has ended", async () => {
  const { signal } = new AbortController();
  let listening = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener: (...given: Parameters<typeof add>) => (listening++, add(...given)),
    removeEventListener: (...given: Parameters<typeof remove>) => (listening--, remove(...given)),
  });
  await using setup = new ClientSetup({ answers: { MAIL: { inTurn: ["250 OK", [CLOSE]] } } });
  const client = await setup.open();
  await client.transact(request("a@x"), { signal });
  await client.transact(request("a@x"), { signal });
  assertEquals([listening, client.isUsable], [0, false]);
});

Deno.test("a message that ends short gets no dot, and the session ends", async () => {
  await using setup = new ClientSetup({ extensions: [] });
  const client = await setup.open();
  const short: TransactionRequest = {
    ...request("a@x"),
    data: {
      sizeBytes: 10,
      dotLines: 0,
      bytes: null,
      async *stream() {
        yield await Promise.resolve(encodeText("short"));
      },
    },
  };
  await assertRejects(() => client.transact(short, { signal }), Error, "it has 10 octets, got 5");
  assertEquals(client.isUsable, false);
  await setup.peer.idle();
  assertEquals(setup.peer.messages, []);
});

Deno.test("a server forgets a transaction that ended, and is told to forget one that did not", async () => {
  await using setup = new ClientSetup({
    extensions: [],
    answers: { RCPT: { inTurn: ["550 No", "250 OK"] } },
  });
  const client = await setup.open();
  const refused = await client.transact(request("a@x"), { signal });
  const taken = await client.transact(request("b@x"), { signal });
  await client.transact(request("c@x"), { signal });
  assertEquals([refused.finished, taken.finished, client.transactions], [false, true, 3]);
  const verbs = setup.peer.lines.map((line) => line.slice(0, 4).trim());
  assertEquals(verbs.join(" "), "EHLO MAIL RCPT RSET MAIL RCPT DATA . MAIL RCPT DATA .");
});

Deno.test("a farewell to MAIL is no beginning, and ends the session", async () => {
  await using setup = new ClientSetup({ answers: { MAIL: "421 4.3.2 Bye" } });
  const client = await setup.open();
  const result = await client.transact(request("a@x", "b@x"), { signal });
  assertEquals(inWords(result.recipients), ["mail 421 4.3.2 Bye", "mail 421 4.3.2 Bye"]);
  assertEquals([result.begun, client.isUsable], [false, false]);
});
