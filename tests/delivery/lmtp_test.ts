import { assertEquals, assertMatch } from "@std/assert";
import { LmtpTransport } from "../../src/delivery/lmtp.ts";
import { sampleJob } from "../support/delivery_jobs.ts";
import { tempFolder } from "../support/peers.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { smtpServices } from "../support/smtp_services.ts";

const TWO = ["a@dest.example", "b@dest.example"];
const { signal } = new AbortController();

function lmtpSetup(script: Script = {}, socketPath?: string) {
  const peer = startScriptedPeer({ lmtp: true, ...script }, socketPath);
  const services = smtpServices();
  const server = socketPath === undefined
    ? { host: "127.0.0.1", port: peer.port }
    : { path: socketPath };
  const transport = new LmtpTransport({
    name: "mailboxes",
    heloName: "relay.example",
    services,
    servers: [server],
  });
  return {
    peer,
    transport,
    deliver: () => transport.deliver(sampleJob({ recipients: TWO }), { signal }),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
      services[Symbol.dispose]();
    },
  };
}

Deno.test("LMTP: each recipient has an answer of its own after the message", async () => {
  const answers = { ".": { inTurn: ["250 2.0.0 Saved", "452 4.2.2 Mailbox full"] } };
  await using setup = lmtpSetup({ answers });
  const report = await setup.deliver();
  assertEquals(inWords(report), [
    "delivered 250 2.0.0 Saved",
    "temporary 452 4.2.2 Mailbox full",
  ]);
  assertEquals(report.handover, "final");
  assertEquals(setup.peer.lines[0], "LHLO relay.example");
});

Deno.test("LMTP: a server that takes over notifications tells the sender itself", async () => {
  await using setup = lmtpSetup({ extensions: ["PIPELINING", "DSN"] });
  assertEquals((await setup.deliver()).handover, "dsn");
});

Deno.test("LMTP: a server that speaks SMTP alone is not spoken to in SMTP", async () => {
  await using setup = lmtpSetup({ answers: { LHLO: "500 5.5.1 What?" } });
  assertMatch(inWords(await setup.deliver()).join(), /^broken 451 4\.5\.1 .*refused the session/);
  assertEquals(setup.peer.lines, ["LHLO relay.example"]);
});

Deno.test("LMTP: the server may be behind a Unix socket", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/lmtp`;
  await using setup = lmtpSetup({}, path);
  for (let count = 0; count < 2; count++) {
    const report = await setup.deliver();
    assertEquals(inWords(report), TWO.map(() => "delivered 250 2.0.0 Stored"));
    assertEquals(report.remote, { host: path, address: path, port: 0 });
  }
  assertEquals(setup.peer.sessions, 1);
  assertEquals(setup.transport.destinationOf(), path);
});

Deno.test("LMTP: a socket that is not there bounces nothing", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/lmtp`;
  const services = smtpServices();
  await using transport = new LmtpTransport({
    name: "mailboxes",
    heloName: "relay.example",
    services,
    servers: [{ path }],
  });
  assertEquals(inWords(await transport.deliver(sampleJob(), { signal })), [
    `broken 451 4.4.1 Cannot connect to ${path}: host unreachable`,
  ]);
});

Deno.test("LMTP: a server whose name has no address bounces nothing", async () => {
  const services = smtpServices();
  await using transport = new LmtpTransport({
    ...{ name: "mailboxes", heloName: "relay.example", services },
    servers: [{ host: "gone.invalid", port: 24 }],
  });
  const [told] = inWords(await transport.deliver(sampleJob(), { signal }));
  assertEquals(told, "broken 451 4.4.4 LMTP server gone.invalid has no address");
});
