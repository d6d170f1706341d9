import { assert, assertEquals, assertRejects } from "@std/assert";
import { sampleJob } from "../support/delivery_jobs.ts";
import { freePort } from "../support/peers.ts";
import { CLOSE, type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup, soleOutcome } from "../support/smarthost_setup.ts";
import { dialByAddress, dialWith, smtpServices } from "../support/smtp_services.ts";

const THREE = ["a@dest.example", "b@dest.example", "c@dest.example"];
const LOCK_STEP: Script = { extensions: [] };

Deno.test("a message goes out with what the server offers", async () => {
  await using setup = smarthostSetup();
  const job = sampleJob({ body: "Subject: é\r\n\r\n.dot\r\n", message: { body: "8BITMIME" } });
  const report = await setup.deliver(job);
  assertEquals(inWords(report), ["delivered 250 2.0.0 Stored"]);
  assertEquals(report.remote, { host: "127.0.0.1", address: "127.0.0.1", port: setup.peer.port });
  assertEquals(setup.peer.lines, [
    "EHLO relay.example",
    "MAIL FROM:<sender@origin.example> SIZE=21 BODY=8BITMIME",
    "RCPT TO:<rcpt@dest.example>",
    "DATA",
    ".",
  ]);
  assertEquals(setup.peer.messages[0]?.data, "Subject: Ã©\r\n\r\n..dot\r\n");
});

Deno.test("a server without extensions gets none", async () => {
  await using setup = smarthostSetup(LOCK_STEP);
  const job = sampleJob({ message: { body: "8BITMIME", reversePath: "" } });
  assertEquals(inWords(await setup.deliver(job)), ["delivered 250 2.0.0 Stored"]);
  assertEquals(setup.peer.lines[1], "MAIL FROM:<>");
});

Deno.test("a server that refuses EHLO gets HELO", async () => {
  await using setup = smarthostSetup({ answers: { EHLO: "502 5.5.1 What?" } });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
  assertEquals(setup.peer.lines.slice(0, 3), [
    "EHLO relay.example",
    "HELO relay.example",
    "MAIL FROM:<sender@origin.example>",
  ]);
});

Deno.test("several messages share a connection, which ends with QUIT", async () => {
  const setup = smarthostSetup();
  for (let count = 0; count < 3; count++) await setup.deliver(sampleJob());
  assertEquals(setup.peer.sessions, 1);
  await setup.transport[Symbol.asyncDispose]();
  assertEquals(setup.peer.lines.at(-1), "QUIT");
  await setup[Symbol.asyncDispose]();
});

Deno.test("a connection is closed after its last message", async () => {
  await using setup = smarthostSetup({}, { reuse: { maxMessages: 2 } });
  for (let count = 0; count < 4; count++) await setup.deliver(sampleJob());
  assertEquals(setup.peer.sessions, 2);
  await setup.peer.waitForLine("QUIT", 2);
});

const PARTLY: Script["answers"] = {
  "RCPT TO:<a@dest.example>": "550 5.1.1 No such mailbox",
  "RCPT TO:<c@dest.example>": "450-4.2.1 Mailbox\r\n450 4.2.1 busy",
};
for (const extensions of [["PIPELINING"], []]) {
  const manner = extensions.length > 0 ? "pipelined" : "lock-step";

  Deno.test(`each recipient has its own outcome (${manner})`, async () => {
    await using setup = smarthostSetup({ extensions, answers: PARTLY });
    assertEquals(inWords(await setup.deliver(sampleJob({ recipients: THREE }))), [
      "permanent 550 5.1.1 No such mailbox",
      "delivered 250 2.0.0 Stored",
      "temporary 450 4.2.1 Mailbox busy",
    ]);
    assertEquals(setup.peer.messages[0]?.recipients, ["RCPT TO:<b@dest.example>"]);
  });

  Deno.test(`a refused MAIL is everybody's outcome (${manner})`, async () => {
    const answers = {
      MAIL: { inTurn: ["550 5.7.1 Not you", "250 2.1.0 OK"] },
      RCPT: { inTurn: [...THREE.map(() => "503 5.5.1 Need MAIL"), "250 2.1.5 OK"] },
    };
    if (extensions.length === 0) Object.assign(answers, { RCPT: "250 2.1.5 OK" });
    await using setup = smarthostSetup({ extensions, answers });
    const refused = await setup.deliver(sampleJob({ recipients: THREE }));
    assertEquals(inWords(refused), THREE.map(() => "permanent 550 5.7.1 Not you"));
    assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
    assertEquals(setup.peer.sessions, 1);
    assert(setup.peer.lines.includes("RSET"));
  });

  Deno.test(`nothing is sent when no recipient is taken (${manner})`, async () => {
    const answers = { RCPT: { inTurn: ["550 5.1.1 No", "450 4.2.0 Later", "250 2.1.5 OK"] } };
    await using setup = smarthostSetup({ extensions, answers });
    const refused = await setup.deliver(sampleJob({ recipients: THREE.slice(0, 2) }));
    assertEquals(inWords(refused), ["permanent 550 5.1.1 No", "temporary 450 4.2.0 Later"]);
    assertEquals(setup.peer.messages, []);
    assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
    assertEquals(setup.peer.sessions, 1);
  });

  for (const [stage, verb] of [["DATA", "DATA"], ["the final dot", "."]] as const) {
    Deno.test(`${stage} is refused (${manner})`, async () => {
      const answers = {
        ...PARTLY,
        [verb]: { inTurn: ["451 4.3.0 Later", "554 5.6.0 Never", "250 2.0.0 OK"] },
      };
      await using setup = smarthostSetup({ extensions, answers });
      const job = sampleJob({ recipients: THREE });
      const expected = (own: string) => [
        "permanent 550 5.1.1 No such mailbox",
        own,
        "temporary 450 4.2.1 Mailbox busy",
      ];
      assertEquals(inWords(await setup.deliver(job)), expected("temporary 451 4.3.0 Later"));
      assertEquals(inWords(await setup.deliver(job)), expected("permanent 554 5.6.0 Never"));
      assertEquals(setup.peer.sessions, 1);
    });
  }
}

Deno.test("the commands of a transaction leave in one write, the message in another", async () => {
  const writes: string[] = [];
  const decoder = new TextDecoder();
  const dialer = dialWith((conn) => ({
    write(octets) {
      writes.push(decoder.decode(octets));
      return conn.write(octets);
    },
  }));
  using services = smtpServices({ dialer });
  await using setup = smarthostSetup({}, { services });
  await setup.deliver(sampleJob({ recipients: THREE.slice(0, 2), body: "A: b\r\n\r\n..\r\n" }));
  assertEquals(writes, [
    "EHLO relay.example\r\n",
    "MAIL FROM:<sender@origin.example> SIZE=12\r\nRCPT TO:<a@dest.example>\r\n" +
    "RCPT TO:<b@dest.example>\r\nDATA\r\n",
    "A: b\r\n\r\n...\r\n.\r\n",
  ]);
});

Deno.test("a server that takes DATA without recipients gets a lone dot", async () => {
  const answers = {
    RCPT: { inTurn: ["550 5.1.1 No", "250 2.1.5 OK"] },
    DATA: "354 Go on",
    ".": { inTurn: ["554 5.5.1 No valid recipients", "250 2.0.0 Stored"] },
  };
  await using setup = smarthostSetup({ answers });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["permanent 550 5.1.1 No"]);
  assertEquals(setup.peer.messages.map(({ data }) => data), [""]);
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
  assertEquals(setup.peer.sessions, 1);
});

Deno.test("552 after other recipients were taken means too many, and later", async () => {
  const answers = {
    "RCPT TO:<a@dest.example>": "552 Mailbox full",
    "RCPT TO:<c@dest.example>": "552 Too many recipients",
  };
  await using setup = smarthostSetup({ answers });
  assertEquals(inWords(await setup.deliver(sampleJob({ recipients: THREE }))), [
    "permanent 552 Mailbox full",
    "delivered 250 2.0.0 Stored",
    "temporary 552 Too many recipients",
  ]);
});

Deno.test("a message above the announced size is not offered", async () => {
  await using setup = smarthostSetup({ extensions: ["SIZE 20"] });
  assertEquals(inWords(await setup.deliver(sampleJob({ body: "A: b\r\n\r\nfar too long\r\n" }))), [
    "unsuitable 552 5.3.4 Message of 22 octets exceeds the next hop's limit of 20",
  ]);
  assertEquals(setup.peer.lines, ["EHLO relay.example"]);
});

Deno.test("replies may come in pieces", async () => {
  const answers = {
    MAIL: ["2", "50 2.1", ".0 O", "K\r", "\n"],
    RCPT: ["250-2.1.5 one\r\n25", "0 2.1.5 two\r\n"],
    DATA: ["354 Go", Promise.resolve(), " on\r\n"],
    ".": ["250", " 2.0.0 Stored\r\n"],
  };
  await using setup = smarthostSetup({ greeting: ["220-peer\r\n", "220 ready\r\n"], answers });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
});

Deno.test("a connection that the server closed while it waited costs no message", async () => {
  const answers: Script["answers"] = { ".": ["250 2.0.0 Stored\r\n", CLOSE] };
  await using setup = smarthostSetup({ answers });
  for (let count = 1; count <= 3; count++) {
    assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
    await setup.peer.idle();
  }
  assertEquals([setup.peer.sessions, setup.peer.messages.length], [3, 3]);
});

Deno.test("a farewell on a kept connection costs no message", async () => {
  const answers = { MAIL: { inTurn: ["250 2.1.0 OK", "421 4.4.2 Idle too long", "250 2.1.0 OK"] } };
  await using setup = smarthostSetup({ answers });
  await setup.deliver(sampleJob());
  assertEquals(inWords(await setup.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
  assertEquals([setup.peer.sessions, setup.peer.messages.length], [2, 2]);
});

Deno.test("a large message is streamed", async () => {
  await using setup = smarthostSetup();
  const body = `Subject: large\r\n\r\n${".line of text\r\n".repeat(100_000)}`;
  const report = await setup.deliver(sampleJob({ body, streamChunkBytes: 10_007 }));
  assertEquals(inWords(report), ["delivered 250 2.0.0 Stored"]);
  assertEquals(setup.peer.messages[0]?.data === body.replaceAll("\r\n.", "\r\n.."), true);
});

Deno.test("a large message in memory goes out in blocks", async () => {
  await using setup = smarthostSetup();
  const body = `Subject: large\r\n\r\n${"line of text\r\n".repeat(20_000)}`;
  await setup.deliver(sampleJob({ body }));
  assertEquals(setup.peer.messages[0]?.data === body, true);
});

Deno.test("a message that cannot be read to its end gets no final dot", async () => {
  await using setup = smarthostSetup();
  const job = sampleJob({ streamChunkBytes: 8 });
  const short = { ...job, body: { ...job.body, sizeBytes: job.body.sizeBytes + 1 } };
  await assertRejects(() => setup.deliver(short), Error, "Cannot send a message");
  await setup.peer.idle();
  assertEquals(setup.peer.messages, []);
  assertEquals(setup.peer.lines.at(-1), "DATA");
});

Deno.test("the next host stands in for one that does not work", async (t) => {
  const troubles: readonly [name: string, script: Script | null][] = [
    ["nobody listens", null],
    ["421 as greeting", { greeting: "421 4.3.2 Not now" }],
    ["5xx as greeting", { greeting: "554 5.7.1 Go away" }],
    ["closed before the greeting", { greeting: [CLOSE] }],
    ["nonsense as greeting", { greeting: "HTTP/1.1 400 Bad Request" }],
    ["EHLO and HELO refused", { answers: { EHLO: "500 What?", HELO: "550 No" } }],
    ["4xx to EHLO", { answers: { EHLO: "450 4.7.1 Wait" } }],
    ["421 to MAIL", { answers: { MAIL: "421 4.7.0 Too fast" } }],
    ["421 to DATA", { answers: { DATA: "421 4.7.0 Too fast" } }],
    ["closed after MAIL", { answers: { MAIL: [CLOSE] } }],
    ["closed after DATA", { answers: { DATA: [CLOSE] } }],
    ["nonsense after MAIL", { answers: { MAIL: "354 Go on" } }],
    ["250 to DATA", { answers: { DATA: "250 OK" } }],
  ];
  for (const [name, script] of troubles) {
    await t.step(name, async () => {
      await using first = startScriptedPeer(script ?? {});
      await using setup = smarthostSetup();
      const hosts = [
        { host: "127.0.0.1", port: script === null ? freePort() : first.port },
        { host: "127.0.0.1", port: setup.peer.port },
      ];
      await using both = smarthostSetup({}, { hosts });
      assertEquals(inWords(await both.deliver(sampleJob())), ["delivered 250 2.0.0 Stored"]);
      assertEquals(setup.peer.messages.length, 1);
    });
  }
});

Deno.test("a recipient that one host refused is not asked of the next", async () => {
  await using first = startScriptedPeer({
    answers: { ...PARTLY, DATA: "421 4.3.2 Shutting down" },
  });
  await using setup = smarthostSetup();
  const hosts = [first, setup.peer].map(({ port }) => ({ host: "127.0.0.1", port }));
  await using both = smarthostSetup({}, { hosts });
  assertEquals(inWords(await both.deliver(sampleJob({ recipients: THREE }))), [
    "permanent 550 5.1.1 No such mailbox",
    "delivered 250 2.0.0 Stored",
    "temporary 450 4.2.1 Mailbox busy",
  ]);
  assertEquals(setup.peer.messages[0]?.recipients, ["RCPT TO:<b@dest.example>"]);
});

Deno.test("shuffled smarthosts share the work", async () => {
  await using other = startScriptedPeer();
  await using setup = smarthostSetup();
  const hosts = [other, setup.peer].map(({ port }) => ({ host: "127.0.0.1", port }));
  await using both = smarthostSetup({}, {
    hosts,
    selection: "shuffled",
    reuse: { maxMessages: 1 },
  });
  for (let count = 0; count < 20; count++) await both.deliver(sampleJob());
  assert(other.messages.length > 3 && setup.peer.messages.length > 3);
});

Deno.test("a smarthost without an address breaks the way out, not the mail", async () => {
  await using setup = smarthostSetup({}, { hosts: [{ host: "gone.example", port: 25 }] });
  const report = await setup.deliver(sampleJob());
  assertEquals(inWords(report), ["broken 451 4.4.4 Smarthost gone.example has no address"]);
  assertEquals([soleOutcome(report).kind, report.remote], ["broken", null]);
});

Deno.test("smarthosts may be named by SRV records", async () => {
  const srv = (priority: number, target: string) => ({ priority, weight: 0, port: 587, target });
  const services = smtpServices({
    names: {
      srv: {
        "_submission._tcp.dest.example": [srv(20, "b.dest.example"), srv(10, "a.dest.example")],
      },
      addresses: { "a.dest.example": ["192.0.2.1"], "b.dest.example": ["192.0.2.2"] },
    },
    dialer: (target, options) => dialer(target, options),
  });
  await using setup = smarthostSetup({}, { hosts: [], srv: "dest.example", services });
  const dialer = dialByAddress({ "192.0.2.2": setup.peer.port });
  const report = await setup.deliver(sampleJob());
  assertEquals(dialer.dialed, ["192.0.2.1", "192.0.2.2"]);
  assertEquals(report.remote, { host: "b.dest.example", address: "192.0.2.2", port: 587 });
});

Deno.test("a domain that offers no submission bounces nothing", async () => {
  const none = { priority: 0, weight: 0, port: 0, target: "." };
  const services = smtpServices({ names: { srv: { "_submission._tcp.dest.example": [none] } } });
  await using setup = smarthostSetup({}, { hosts: [], srv: "dest.example", services });
  assertEquals(inWords(await setup.deliver(sampleJob())), [
    "broken 451 4.4.4 dest.example names no server for submission (_submission._tcp.dest.example)",
  ]);
});
