import { assertEquals } from "@std/assert";
import { LmtpTransport } from "../../src/delivery/lmtp.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { type Answer, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";
import { smtpServices } from "../support/smtp_services.ts";

const STORED = "delivered 250 2.0.0 Stored";

function mailboxes(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `r${index}@dest.example`);
}

/** Takes so many recipients a transaction and refuses the others with `refusal`. */
function taking(perTransaction: number, refusal: string): (verb: string) => Answer | null {
  let taken = 0;
  return (verb) => {
    if (verb === "MAIL") taken = 0;
    if (verb !== "RCPT") return null;
    if (taken === perTransaction) return refusal;
    taken++;
    return "250 2.1.5 OK";
  };
}

const REFUSALS = [
  "452 4.5.3 Too many recipients",
  "452 Too many",
  "552 Too many recipients",
  "552 5.5.3 Too many recipients",
  "451 4.5.3 Too many recipients",
  "550 5.5.3 Too many recipients",
];

for (const refusal of REFUSALS) {
  for (const extensions of [["PIPELINING"], []]) {
    Deno.test(`too many recipients: the rest go at once: ${refusal} ${extensions}`, async () => {
      await using setup = smarthostSetup({ extensions, respond: taking(5, refusal) });
      const recipients = mailboxes(23);
      const report = await setup.deliver(sampleJob({ recipients }));
      assertEquals(inWords(report), recipients.map(() => STORED));
      assertEquals(setup.peer.messages.map(({ recipients }) => recipients.length), [5, 5, 5, 5, 3]);
      assertEquals(setup.peer.sessions, 1);
    });
  }
}

Deno.test("too many recipients: what a server takes is remembered", async () => {
  await using setup = smarthostSetup({ respond: taking(5, "452 4.5.3 Too many recipients") });
  const recipients = mailboxes(100);
  await setup.deliver(sampleJob({ recipients }));
  const asked = setup.peer.lines.filter((line) => line.startsWith("RCPT")).length;
  assertEquals(asked, 100 + 95); // the first transaction asked for all
  await setup.deliver(sampleJob({ recipients }));
  assertEquals(setup.peer.lines.filter((line) => line.startsWith("RCPT")).length, asked + 100);
});

Deno.test("too many recipients: what was remembered is tried again after an hour", async () => {
  using services = smtpServices({ clock: new ManualClock() });
  const clock = services.clock as ManualClock;
  await using setup = smarthostSetup({ respond: taking(2, "452 4.5.3 Too many") }, { services });
  const recipients = mailboxes(4);
  await setup.deliver(sampleJob({ recipients }));
  await clock.advance(3_600_000);
  await setup.deliver(sampleJob({ recipients }));
  assertEquals(setup.peer.lines.filter((line) => line.startsWith("RCPT")).length, 2 * (4 + 2));
});

Deno.test("too many recipients: a server that takes none defers", async () => {
  for (const refusal of ["452 4.5.3 Too many recipients", "552 5.5.3 Too many recipients"]) {
    await using setup = smarthostSetup({ respond: taking(0, refusal) });
    const report = await setup.deliver(sampleJob({ recipients: mailboxes(3) }));
    assertEquals(inWords(report), Array(3).fill(`temporary ${refusal}`));
    assertEquals(setup.peer.lines.filter((line) => line.startsWith("MAIL")).length, 1);
  }
});

Deno.test("too many recipients: who is refused again alone is deferred, not bounced", async () => {
  const answers = { "RCPT TO:<r3@dest.example>": "552 Too many recipients" };
  await using setup = smarthostSetup({ answers });
  const recipients = mailboxes(4);
  for (let count = 1; count <= 2; count++) {
    const report = await setup.deliver(sampleJob({ recipients }));
    const outcomes = [STORED, STORED, STORED, "temporary 552 Too many recipients"];
    assertEquals(inWords(report), outcomes);
    // What the first transaction seemed to teach is unlearned by the second.
    const asked = setup.peer.lines.filter((line) => line.startsWith("RCPT")).length;
    assertEquals([setup.peer.messages.length, asked], [count, count * 5]);
  }
});

Deno.test("too many recipients: other refusals stay what they are", async () => {
  for (const refusal of ["452 4.2.2 Mailbox full", "451 4.3.0 Later", "552 5.2.2 Mailbox full"]) {
    const answers = { "RCPT TO:<r1@dest.example>": refusal };
    await using setup = smarthostSetup({ answers });
    const report = await setup.deliver(sampleJob({ recipients: mailboxes(2) }));
    const kind = refusal.startsWith("4") ? "temporary" : "permanent";
    assertEquals(inWords(report), [STORED, `${kind} ${refusal}`]);
    assertEquals(setup.peer.lines.filter((line) => line.startsWith("MAIL")).length, 1);
  }
});

Deno.test("too many recipients: a message that is deferred is deferred for all", async () => {
  await using setup = smarthostSetup({
    respond: taking(2, "452 4.5.3 Too many"),
    answers: { ".": "451 4.7.1 Greylisted" },
  });
  const report = await setup.deliver(sampleJob({ recipients: mailboxes(5) }));
  assertEquals(inWords(report), Array(5).fill("temporary 451 4.7.1 Greylisted"));
  assertEquals(setup.peer.messages.length, 3);
});

Deno.test("too many recipients: who waits while the session breaks shares the fate of the others", async () => {
  const take = taking(2, "452 4.5.3 Too many");
  await using setup = smarthostSetup({
    respond: (verb) => verb === "DATA" ? "garbage" : take(verb),
  });
  const report = await setup.deliver(sampleJob({ recipients: mailboxes(3) }));
  assertEquals(report.outcomes.map(({ kind }) => kind), ["broken", "broken", "broken"]);
});

Deno.test("too many recipients: who waits while the octets cannot be read is not called too many", async () => {
  await using setup = smarthostSetup({ respond: taking(2, "452 4.5.3 Too many") });
  const job = sampleJob({ recipients: mailboxes(3), streamChunkBytes: 10 });
  let reads = 0;
  const stream = () => {
    if (++reads > 1) throw new Error("made to fail");
    return job.body.stream();
  };
  const report = await setup.deliver({ ...job, body: { ...job.body, stream } });
  const internal = "temporary 451 4.3.0 Internal error, see the relay's log";
  assertEquals(inWords(report), [STORED, STORED, internal]);
  assertEquals(report.fault instanceof Error && report.fault.message, "made to fail");
});

Deno.test("too many recipients: LMTP", async () => {
  await using stack = new AsyncDisposableStack();
  const respond = taking(2, "452 4.5.3 Too many recipients");
  const peer = stack.use(startScriptedPeer({ lmtp: true, respond }));
  const transport = stack.use(
    new LmtpTransport({
      name: "test",
      heloName: "relay.example",
      servers: [{ host: "127.0.0.1", port: peer.port }],
      services: stack.use(smtpServices()),
    }),
  );
  const job = sampleJob({ recipients: mailboxes(5) });
  const report = await transport.deliver(job, { signal: new AbortController().signal });
  assertEquals(inWords(report), Array(5).fill(STORED));
  assertEquals(peer.messages.map(({ recipients }) => recipients.length), [2, 2, 1]);
});
