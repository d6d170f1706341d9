import { assertEquals, assertMatch } from "@std/assert";
import { sampleJob } from "../support/delivery_jobs.ts";
import { type Answer, CLOSE, type Script } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";
import { dialWith, smtpServices } from "../support/smtp_services.ts";

const GROUP: Script = { extensions: ["PIPELINING", "CHUNKING"] };
const STORED = "delivered 250 2.0.0 Stored";
const TWO = ["a@dest.example", "b@dest.example"];

Deno.test("BDAT: envelope and message leave in one write", async () => {
  const writes: string[] = [];
  const dialer = dialWith((conn) => ({
    write(octets) {
      writes.push(new TextDecoder().decode(octets));
      return conn.write(octets);
    },
  }));
  await using setup = smarthostSetup(GROUP, { services: smtpServices({ dialer }) });
  const body = "Subject: x\r\n\r\n.\r\n..dots\r\n";
  assertEquals(inWords(await setup.deliver(sampleJob({ body }))), [STORED]);
  assertEquals(writes.slice(1), [
    "MAIL FROM:<sender@origin.example>\r\nRCPT TO:<rcpt@dest.example>\r\n" +
    `BDAT 25 LAST\r\n${body}`,
  ]);
  assertEquals(setup.peer.messages[0]?.data, body);
});

Deno.test("BDAT: a message that is large or has to be read goes behind the replies", async () => {
  await using setup = smarthostSetup(GROUP);
  const body = `Subject: x\r\n\r\n${".x\r\n".repeat(50_000)}`;
  for (const streamChunkBytes of [undefined, 10_000]) {
    const job = streamChunkBytes === undefined
      ? sampleJob({ body })
      : sampleJob({ body, streamChunkBytes });
    assertEquals(inWords(await setup.deliver(job)), [STORED]);
  }
  assertEquals(setup.peer.messages.map(({ data }) => data === body), [true, true]);
});

Deno.test("BDAT: without PIPELINING each command waits for its reply", async () => {
  await using setup = smarthostSetup({ extensions: ["CHUNKING"] });
  assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
  assertEquals(setup.peer.lines.at(-1), "BDAT 24 LAST");
});

Deno.test("BDAT: not where the extension is to be ignored", async () => {
  await using setup = smarthostSetup(GROUP, { ignoredExtensions: new Set(["CHUNKING"]) });
  assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
  assertEquals(setup.peer.lines.includes("DATA"), true);
});

Deno.test("BDAT: refused recipients have their own outcome", async () => {
  const answers = { "RCPT TO:<a@dest.example>": "550 5.1.1 No such mailbox" };
  await using setup = smarthostSetup({ ...GROUP, answers });
  assertEquals(inWords(await setup.deliver(sampleJob({ recipients: TWO }))), [
    "permanent 550 5.1.1 No such mailbox",
    STORED,
  ]);
});

Deno.test("BDAT: a server that takes nobody is still in step", async () => {
  const answers = { RCPT: { inTurn: ["550 5.1.1 No", "250 2.1.5 OK"] } };
  await using setup = smarthostSetup({ ...GROUP, answers });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["permanent 550 5.1.1 No"]);
  assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
  assertEquals(setup.peer.sessions, 1);
  assertEquals(setup.peer.messages.length, 1);
});

Deno.test("BDAT: a refused message is forgotten before the next one", async () => {
  const answers = { BDAT: { inTurn: ["554 5.6.0 Never", "250 2.0.0 Stored"] } };
  await using setup = smarthostSetup({ ...GROUP, answers });
  assertEquals(inWords(await setup.deliver(sampleJob())), ["permanent 554 5.6.0 Never"]);
  assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
  assertEquals(setup.peer.lines.filter((line) => line === "RSET").length, 1);
});

Deno.test("BDAT: a server of mailboxes answers for each recipient", async () => {
  const answers = { BDAT: { inTurn: ["250 2.0.0 Saved", "452 4.2.2 Full"] } };
  await using setup = smarthostSetup({ ...GROUP, lmtp: true, answers }, { protocol: "lmtp" });
  assertEquals(inWords(await setup.deliver(sampleJob({ recipients: TWO }))), [
    "delivered 250 2.0.0 Saved",
    "temporary 452 4.2.2 Full",
  ]);
});

/** When the connection ends, and what may have become of the message. */
const ENDS: readonly [name: string, answers: Script["answers"], outcome: RegExp][] = [
  ["without any answer", { MAIL: [CLOSE] }, /^uncertain 451 4\.4\.2 .* closed .* after MAIL/],
  ["after some answers", { RCPT: [CLOSE] }, /^uncertain 451 4\.4\.2 .* closed .* after RCPT/],
  ["before the last answer", { BDAT: [CLOSE] }, /^uncertain 451 4\.4\.2 .* after the end/],
  ["in nonsense", { RCPT: "what?" }, /^uncertain 451 4\.5\.0 .* no reply after RCPT/],
  ["with a farewell", { RCPT: "421 4.3.2 Bye" }, /^temporary 421 4\.3\.2 Bye/],
];
for (const [name, answers = {}, outcome] of ENDS) {
  Deno.test(`BDAT: the connection ends ${name}`, async () => {
    await using setup = smarthostSetup({ ...GROUP, answers });
    assertMatch(inWords(await setup.deliver(sampleJob())).join(), outcome);
  });
}

/** Ways in which a server ends a connection that waits for the next message. */
const FAREWELLS: readonly [name: string, answer: Answer][] = [
  ["closed", ["250 2.0.0 Stored\r\n", CLOSE]],
  ["taken leave of", ["250 2.0.0 Stored\r\n", Promise.resolve(), "421 4.4.2 Idle\r\n", CLOSE]],
  ["taken leave of at once", ["250 2.0.0 Stored\r\n421 4.3.2 Down\r\n", CLOSE]],
];
for (const [name, answer] of FAREWELLS) {
  Deno.test(`BDAT: a kept connection that the server has ${name} costs no message`, async () => {
    const closing = Promise.withResolvers<void>();
    const dialer = dialWith((conn) => ({
      close() {
        conn.close();
        closing.resolve();
      },
    }));
    using services = smtpServices({ dialer });
    await using setup = smarthostSetup({ ...GROUP, answers: { BDAT: answer } }, { services });
    assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
    await closing.promise; // the client has noticed
    assertEquals(inWords(await setup.deliver(sampleJob())), [STORED]);
    assertEquals(setup.peer.sessions, 2);
  });
}

Deno.test("BDAT: an attempt that is given up waits for the answer of what was sent", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const controller = new AbortController();
  const answers = { MAIL: [promise, "250 2.1.0 OK\r\n"] };
  await using setup = smarthostSetup({ ...GROUP, answers });
  const delivering = setup.deliver(sampleJob(), controller.signal);
  await setup.peer.waitForLine("MAIL");
  controller.abort();
  resolve();
  assertEquals(inWords(await delivering), [STORED]);
});

Deno.test("BDAT: an answer that does not come in time leaves open what became of it", async () => {
  const answers = { MAIL: [new Promise<never>(() => {})] };
  const controller = new AbortController();
  await using setup = smarthostSetup({ ...GROUP, answers }, { abortGraceMs: 10 });
  const delivering = setup.deliver(sampleJob(), controller.signal);
  await setup.peer.waitForLine("MAIL");
  controller.abort();
  assertMatch(inWords(await delivering).join(), /^uncertain 451 4\.3\.2/);
});
