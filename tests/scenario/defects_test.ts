/** A defect in every room at once: promises that are rejected while no code waits for them. */
import { assertEquals } from "@std/assert";
import { probed } from "../mutation/probes.ts";
import { mailgunBody } from "../provider_events/support.ts";
import { makeKey } from "../signing/verify_setup.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";
import { type HttpRecorder, startHttpRecorder } from "../support/http_recorder.ts";
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { type RecordingSink, startRecordingSink } from "../support/recording_sink.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";
import { sampleMessage } from "../support/sample_messages.ts";
import { filesBelow } from "../mutation/nearest.ts";
import { roomOf, ROOMS } from "../tools/rooms.ts";

const PROJECT = new URL("../../", import.meta.url).pathname;
const ROOM_NAMES = ROOMS.map(({ name }) => name);
const PASSWORD = `$scrypt$ln=14,r=8,p=5$c2FsdHNhbHRzYWx0c2FsdA$${"A".repeat(43)}`;
/** It is read before the relay runs, and holds data alone. */
const IDLE = "relay/schemas.ts";

/** The first time that code of a room runs in a running relay, a promise of its is rejected. */
const DEFECTS = `
const rooms = ${JSON.stringify(ROOM_NAMES)};
const failed = new Set();
let isRunning = false;
const { addEventListener } = globalThis;
globalThis.addEventListener = (type, ...rest) => {
  if (type === "unhandledrejection") isRunning = true;
  return addEventListener.call(globalThis, type, ...rest);
};
export function met_(probe) {
  const [room] = probe.split(":");
  if (!isRunning || failed.has(room)) return;
  failed.add(room);
  void Promise.reject(new Error("defect in <" + rooms[room] + ">"));
}
`;

/** Copies the sources into a folder, with a defect in each room. */
async function copySources(folder: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/defects.js`, DEFECTS);
  const args = ["-r", "deno.json", "src", folder];
  await new Deno.Command("cp", { args, cwd: PROJECT }).output();
  for (const path of filesBelow(PROJECT, "src")) {
    const room = roomOf(path.slice("src/".length))?.name ?? "";
    const { text } = probed(await Deno.readTextFile(PROJECT + path), {
      ...{ path, id: String(ROOM_NAMES.indexOf(room)), moduleUrl: `file://${folder}/defects.js` },
    });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  return `${folder}/src/main.ts`;
}

interface World {
  readonly mailgun: HttpRecorder;
  readonly receiver: HttpRecorder;
  readonly sink: RecordingSink;
  readonly dns: DnsServer;
}

/** A config by which a few messages come through every room. */
function settings({ mailgun, receiver, sink, dns }: World, ports: Record<string, number>): string {
  return `
    [[webhooks]]
    name = "crm"
    url = "${receiver.url}/in"
    [[users]]
    name = "ada"
    password = "${PASSWORD}"
    [dns]
    servers = ["${dns.address}"]
    [arc]
    domain = "relay.test"
    selector = "s1"
    key = { file = "arc.pem" }
    trusted = true
    [admin]
    open_on_loopback = true
    port = ${ports["admin"]}
    [bounces]
    domains = ["bounces.relay.test"]
    key = "0123456789abcdef0123456789abcdef"
    [provider_events]
    port = ${ports["events"]}
    sources = [{ provider = "mailgun", name = "mg", signing_key = "k" }]
    [transports.api]
    type = "mailgun"
    domain = "mg.source.test"
    api_key = "key"
    base_url = "${mailgun.url}"
    [transports.host]
    type = "smarthost"
    hosts = ["127.0.0.1:${sink.port}"]
    [[routes]]
    match = { recipient_domain = ["api.test"] }
    transports = ["api"]
    [[routes]]
    transports = ["host"]`;
}

/** Mail by SMTP and HTTP to both next hops, an event of the provider, and a page. */
async function use(relay: RelayProcess, ports: Record<string, number>): Promise<void> {
  using client = await PlainClient.greet(relay.port);
  const data = sampleMessage({ subject: "by SMTP", lines: ["text"] });
  const { reply } = await client.send({
    from: "a@source.test",
    to: ["b@host.test", "b@api.test"],
    data,
  });
  assertEquals(reply.code, 250);
  const admin = `http://127.0.0.1:${ports["admin"]}`;
  const answers = [
    await fetch(`${admin}/api/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ from: "a@source.test", to: "c@host.test", text: "by HTTP" }),
    }),
    await fetch(`${admin}/`),
    await fetch(`http://127.0.0.1:${ports["events"]}/events/mg`, {
      method: "POST",
      body: mailgunBody(
        { event: "opened", recipient: "b@api.test", "user-variables": {} },
        { key: "k", timestamp: String(Math.floor(Date.now() / 1000)), token: crypto.randomUUID() },
      ),
    }),
  ];
  for (const answer of answers) {
    await answer.body?.cancel();
    assertEquals(answer.ok, true, `${answer.url}: ${answer.status}`);
  }
}

Deno.test("a rejected promise in any room is logged as a defect, and mail goes on", async () => {
  await using folder = await tempFolder();
  await using mailgun = startHttpRecorder(() => ({
    ...{ kind: "answer", status: 200 },
    body: JSON.stringify({ id: "<1@mg.source.test>", message: "Queued. Thank you." }),
  }));
  await using receiver = startHttpRecorder(() => ({ kind: "answer", status: 204 }));
  await using sink = startRecordingSink();
  await using dns = await startDnsServer();
  await Deno.writeTextFile(`${folder.path}/arc.pem`, makeKey("relay.test", "ed25519").pem);
  const ports = { admin: freePort(), events: freePort() };
  await using relay = await startRelay({
    folder: folder.path,
    program: await copySources(folder.path),
    settings: settings({ mailgun, receiver, sink, dns }, ports),
  });
  await relay.waitForEvent("started");
  await use(relay, ports);
  relay.signal("SIGHUP"); // reads the config again
  for (const room of ROOM_NAMES.filter((name) => name !== IDLE)) {
    await relay.waitForOutput(new RegExp(`Internal error.*<${RegExp.escape(room)}>`));
  }
  await use(relay, ports);
  await sink.waitForMessages(4);
  await mailgun.waitForRequests(2);
  await receiver.waitForRequests(1);
  assertEquals((await relay.stop()).code, 0);
});
