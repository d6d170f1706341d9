import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatReply } from "../../src/mail/reply.ts";
import { DEFAULT_TIMEOUTS, type Stage } from "../../src/smtp/client/stage.ts";
import type { DialFailure } from "../../src/net/dial.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { freePort } from "../support/peers.ts";
import { CLOSE, type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup, soleOutcome } from "../support/smarthost_setup.ts";
import { dialWith, smtpServices } from "../support/smtp_services.ts";

const LARGE = `A: b\r\n\r\n${`${"x".repeat(998)}\r\n`.repeat(20_000)}`;
const NEVER = new Promise<never>(() => {});

/** What the sender learns of a single host that ends, or misleads, the dialogue at each stage. */
const ENDINGS: readonly [name: string, script: Script, outcome: string][] = [
  ["closed before the greeting", { greeting: [CLOSE] }, "broken 451 4.4.2"],
  ["closed in the greeting", { greeting: ["220-half", CLOSE] }, "broken 451 4.4.2"],
  ["closed after EHLO", { answers: { EHLO: [CLOSE] } }, "broken 451 4.4.2"],
  ["closed after MAIL", { answers: { MAIL: [CLOSE] } }, "broken 451 4.4.2"],
  ["closed after RCPT", { answers: { RCPT: [CLOSE] } }, "temporary 451 4.4.2"],
  ["closed within a reply", { answers: { RCPT: ["250 2.", CLOSE] } }, "temporary 451 4.4.2"],
  ["closed after DATA", { answers: { DATA: [CLOSE] } }, "temporary 451 4.4.2"],
  ["closed after the dot", { answers: { ".": [CLOSE] } }, "uncertain 451 4.4.2"],
  ["closed in the last code", { answers: { ".": ["25", CLOSE] } }, "uncertain 451 4.4.2"],
  ["closed behind the last code", { answers: { ".": ["250 2.0.", CLOSE] } }, "delivered 250 2.0."],
  ["421 as greeting", { greeting: "421 4.3.2 Busy" }, "temporary 421 4.3.2"],
  ["554 as greeting", { greeting: "554 5.7.1 No" }, "broken 451 4.7.1"],
  ["EHLO 4xx", { answers: { EHLO: "450 4.7.1 Wait" } }, "temporary 450 4.7.1"],
  ["HELO 5xx", { answers: { EHLO: "500 x", HELO: "550 No" } }, "broken 451 4.3.2"],
  ["421 to MAIL", { answers: { MAIL: "421 4.7.0 Slow" } }, "temporary 421 4.7.0"],
  ["421 to RCPT", { answers: { RCPT: "421 4.7.0 Slow" } }, "temporary 421 4.7.0"],
  ["421 to the dot", { answers: { ".": "421 4.3.2 Down" } }, "temporary 421 4.3.2"],
  ["nonsense to MAIL", { answers: { MAIL: "what?" } }, "broken 451 4.5.0"],
  ["354 to RCPT", { answers: { RCPT: "354 go" } }, "broken 451 4.5.0"],
  ["250 to DATA", { answers: { DATA: "250 OK" } }, "broken 451 4.5.0"],
  ["codes that differ", { answers: { MAIL: "250-a\r\n550 b" } }, "broken 451 4.5.0"],
  ["nonsense to the dot", { answers: { ".": "what?" } }, "uncertain 451 4.5.0"],
];

for (const extensions of [["PIPELINING"], []]) {
  const manner = extensions.length > 0 ? "pipelined" : "lock-step";
  for (const [name, script, expected] of ENDINGS) {
    Deno.test(`${name}: ${expected} (${manner})`, async () => {
      await using setup = smarthostSetup({ extensions, ...script });
      const [words = ""] = inWords(await setup.deliver(sampleJob()));
      assertStringIncludes(words, expected);
    });
  }
}

Deno.test("nobody listens: the destination is broken and not asked again at once", async () => {
  const port = freePort();
  const clock = new ManualClock();
  let dials = 0;
  using services = smtpServices({
    clock,
    dialer: () => {
      dials++;
      return Promise.resolve({ kind: "refused", reason: "refused" });
    },
  });
  const hosts = [{ host: "127.0.0.1", port }];
  await using setup = smarthostSetup({}, { hosts, services });
  const expected = [`broken 451 4.4.1 Cannot connect to [127.0.0.1]:${port}: connection refused`];
  for (let count = 0; count < 3; count++) {
    assertEquals(inWords(await setup.deliver(sampleJob())), expected);
  }
  assertEquals(dials, 1);
  await clock.advance(15_000);
  await setup.deliver(sampleJob());
  await setup.deliver(sampleJob());
  assertEquals(dials, 2);
});

const SCOPES: readonly [kind: DialFailure, scope: "transport" | "destination"][] = [
  ["exhausted", "transport"],
  ["local_address", "transport"],
  ["not_permitted", "transport"],
  ["proxy", "transport"],
  ["prohibited", "destination"],
  ["unreachable", "destination"],
  ["refused", "destination"],
  ["timeout", "destination"],
  ["denied", "destination"],
  ["other", "destination"],
];

for (const [kind, scope] of SCOPES) {
  Deno.test(`a connection that is ${kind} is the ${scope}'s trouble`, async () => {
    using services = smtpServices({
      dialer: () => Promise.resolve({ kind, reason: "EMFILE EACCES" }),
    });
    await using setup = smarthostSetup({}, { services });
    const outcome = soleOutcome(await setup.deliver(sampleJob()));
    assert(outcome.kind === "broken");
    assertEquals(outcome.scope, scope);
  });
}

const STALLS: readonly [stage: Stage, line: string, script: Script, outcome: string][] = [
  ["greeting", "", { greeting: [NEVER] }, "broken"],
  ["hello", "EHLO", { answers: { EHLO: [NEVER] } }, "broken"],
  ["mail", "MAIL", { answers: { MAIL: ["250 half", NEVER] } }, "broken"],
  ["rcpt", "RCPT", { answers: { RCPT: [NEVER] } }, "broken"],
  ["data", "DATA", { answers: { DATA: [NEVER] } }, "broken"],
  ["dot", ".", { answers: { ".": [NEVER] } }, "uncertain"],
];

for (const [stage, line, script, outcome] of STALLS) {
  Deno.test(`a server that stalls at ${stage} is given up in the time of RFC 5321`, async () => {
    const clock = new ManualClock();
    const reading = Promise.withResolvers<void>();
    const dialer = dialWith((conn) => ({
      read(into) {
        reading.resolve();
        return conn.read(into);
      },
    }));
    using services = smtpServices({ clock, dialer });
    // In lock-step the client waits for the reply when the server has the command.
    await using setup = smarthostSetup({ extensions: [], ...script }, { services });
    const delivery = setup.deliver(sampleJob());
    await (line === "" ? reading.promise : setup.peer.waitForLine(line));
    const limitMs = DEFAULT_TIMEOUTS[stage];
    await clock.advance(limitMs - 1000);
    assertEquals(await isPending(delivery), true);
    await clock.advance(2000);
    const [words = ""] = inWords(await delivery);
    assertStringIncludes(words, `${outcome} 451 4.4.2`);
    assertStringIncludes(words, "did not answer in time");
  });
}

Deno.test("a server that stops reading a large message is given up", async () => {
  const clock = new ManualClock();
  const stalled = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<never>();
  closed.promise.catch(() => {});
  const dialer = dialWith((conn) => ({
    write(octets) {
      if (octets.length < 65_536) return conn.write(octets);
      stalled.resolve();
      return closed.promise;
    },
    close() {
      conn.close();
      closed.reject(new Error("closed"));
    },
  }));
  using services = smtpServices({ clock, dialer });
  await using setup = smarthostSetup({ extensions: ["PIPELINING"] }, { services });
  const delivery = setup.deliver(sampleJob({ body: LARGE }));
  await stalled.promise;
  await clock.advance(DEFAULT_TIMEOUTS.body + 1000);
  const [words = ""] = inWords(await delivery);
  assertStringIncludes(words, "broken 451 4.4.2");
  assertStringIncludes(words, "did not answer in time while it received the message");
});

Deno.test("a refusal in the middle of a message is heard", async () => {
  const answers: Script["answers"] = { DATA: ["354 Go on\r\n", "552 5.3.4 Too large\r\n", CLOSE] };
  await using setup = smarthostSetup({ extensions: ["PIPELINING"], answers });
  const report = await setup.deliver(sampleJob({ body: LARGE }));
  assertEquals(inWords(report), ["permanent 552 5.3.4 Too large"]);
});

Deno.test("an attempt is given up at once before the final dot", async () => {
  await using setup = smarthostSetup({ answers: { RCPT: [NEVER] } });
  const abort = new AbortController();
  const delivery = setup.deliver(sampleJob(), abort.signal);
  await setup.peer.waitForLine("RCPT");
  abort.abort();
  const outcome = soleOutcome(await delivery);
  assert(outcome.kind === "temporary");
  assertEquals(outcome.counts, false);
});

Deno.test("an attempt that is given up waits a little for the answer to its dot", async () => {
  const answer = Promise.withResolvers<void>();
  await using setup = smarthostSetup({
    answers: { ".": [answer.promise, "250 2.0.0 Stored\r\n"] },
  });
  const abort = new AbortController();
  const delivery = setup.deliver(sampleJob(), abort.signal);
  await setup.peer.waitForLine(".");
  abort.abort();
  answer.resolve();
  assertEquals(inWords(await delivery), ["delivered 250 2.0.0 Stored"]);
});

Deno.test("an attempt that is given up does not wait long for the answer to its dot", async () => {
  const clock = new ManualClock();
  using services = smtpServices({ clock });
  await using setup = smarthostSetup({ answers: { ".": [NEVER] } }, { services });
  const abort = new AbortController();
  const delivery = setup.deliver(sampleJob(), abort.signal);
  await setup.peer.waitForLine(".");
  abort.abort();
  await clock.advance(6000);
  assertEquals(soleOutcome(await delivery).kind, "uncertain");
});

Deno.test("an attempt that is given up before it begins asks nobody", async () => {
  await using setup = smarthostSetup();
  const report = await setup.deliver(sampleJob(), AbortSignal.abort());
  assertEquals(soleOutcome(report).kind, "temporary");
  assertEquals(setup.peer.lines, []);
});

Deno.test("wherever the connection ends, no message is lost or taken for delivered", async () => {
  for (const extensions of [["PIPELINING"], []]) {
    for (let closeAfterBytes = 0; closeAfterBytes < 140; closeAfterBytes++) {
      await using setup = smarthostSetup({ extensions, closeAfterBytes });
      const outcome = soleOutcome(await setup.deliver(sampleJob()));
      const isStored = setup.peer.messages.length > 0;
      const text = `${closeAfterBytes}: ${outcome.kind} ${formatReply(outcome.reply)}`;
      assert(outcome.kind !== "permanent", text);
      if (isStored) assert(outcome.kind === "delivered" || outcome.kind === "uncertain", text);
      else assert(outcome.kind !== "delivered", text);
    }
  }
});

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return await Promise.race([promise, Promise.resolve(pending)]) === pending;
}

Deno.test("a host that is down says nothing of a destination where another one answers", async () => {
  const dead = { host: "127.0.0.1", port: 1 };
  for (const place of [0, 1, 2]) {
    const peer = startScriptedPeer({ extensions: ["SIZE 20"] });
    const hosts = [dead, { ...dead, port: 2 }];
    hosts.splice(place, 0, { host: "127.0.0.1", port: peer.port });
    await using setup = smarthostSetup({}, { hosts });
    const outcome = soleOutcome(await setup.deliver(sampleJob()));
    await peer[Symbol.asyncDispose]();
    assertEquals([outcome.kind, "scope" in outcome && outcome.scope], ["broken", "message"]);
  }
});
