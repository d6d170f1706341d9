/**
 * Mixed hostility at every listener while honest clients are served: nothing is lost, everything is
 * accepted. The short form takes some seconds, `POSTHOUSE_LONG=1` an hour (or
 * `POSTHOUSE_SOAK_MINUTES`). How long honest clients wait is reported, and not asserted, as other
 * tests keep the machine busy.
 */
import { connect as connectTls } from "node:tls";
import { assertEquals } from "@std/assert";
import { mailgunBody } from "../provider_events/support.ts";
import { makeKey, recordsOf } from "../signing/verify_setup.ts";
import { authority, tlsTable, userTable, writePair } from "../smtp/server/secure_relay.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import { startRelay } from "../support/relay_process.ts";
import { resetMany } from "../support/resets.ts";
import { sampleMessage } from "../support/sample_messages.ts";

const MINUTES = Deno.env.get("POSTHOUSE_LONG") === undefined
  ? 0.05
  : Number(Deno.env.get("POSTHOUSE_SOAK_MINUTES") ?? 60);
const USER = "ada@source.test";
const PASSWORD = "correct horse";
const TOKEN = "0123456789abcdef0123456789abcdef";
/** Where those come from who guess, so that the honest are not taken for them. */
const ELSEWHERE = "127.0.0.2";
const encoder = new TextEncoder();

/** Where the relay listens. */
interface Ports {
  /** For strangers: no TLS needed, mail for sink.test alone. */
  readonly smtp: number;
  /** For users: STARTTLS and a password. */
  readonly submission: number;
  /** In TLS from the first octet. */
  readonly implicitTls: number;
  readonly admin: number;
  readonly events: number;
}

/** One kind of hostility, done over and over; how its connections end is not looked at. */
type Hostility = (ports: Ports) => Promise<unknown>;

async function connection(port: number, act: (conn: Deno.TcpConn) => Promise<unknown>) {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await act(conn);
}

/** Any port but that of the strangers is attacked in turn with the others. */
function anyOf(ports: Ports): number {
  const all = Object.values(ports);
  return all[Math.floor(Math.random() * all.length)];
}

async function slowly(port: number, text: string): Promise<void> {
  await connection(port, async (conn) => {
    for (const char of text) {
      await conn.write(encoder.encode(char));
      await pause(50);
    }
  });
}

async function post(
  url: string,
  init: RequestInit,
  localAddress = ELSEWHERE,
): Promise<Response> {
  using client = Deno.createHttpClient({ localAddress });
  const response = await fetch(url, { method: "POST", ...init, client });
  await response.body?.cancel();
  return response;
}

/** Guesses a password inside TLS, from another address than the honest clients. */
function guess(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTls({
      ...{ host: "127.0.0.1", port, localAddress: ELSEWHERE, servername: "relay.test" },
      ca: authority.certificate,
    });
    const lines = ["EHLO a", `AUTH PLAIN ${btoa(`\0${USER}\0guess`)}`, "QUIT"];
    socket.on("data", (octets) => {
      if (/^\d{3} .*\r\n$/m.test(octets.toString())) socket.write(`${lines.shift()}\r\n`);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

/** Mail of a stranger with signatures to check, whose body costs most. */
async function sendBody(port: number, body: string): Promise<void> {
  using client = await PlainClient.greet(port);
  for (const line of ["MAIL FROM:<x@evil.test>", "RCPT TO:<b@sink.test>", "DATA"]) {
    await client.command(line);
  }
  const signature = (index: number): string =>
    `DKIM-Signature: v=1; a=rsa-sha256; c=${index % 2 ? "simple/simple" : "relaxed/relaxed"};` +
    ` d=evil.test; s=s${index}; h=from; bh=${"A".repeat(43)}=; b=${"B".repeat(340)}==\r\n`;
  const signatures = Array.from({ length: 10 }, (_, index) => signature(index)).join("");
  await client.write(encoder.encode(`${signatures}From: x@evil.test\r\n\r\n${body}.\r\n`));
  await client.readReply();
}

const NESTED = Array.from(
  { length: 500 },
  (_, depth) => `--b${depth}\r\nContent-Type: multipart/mixed; boundary=b${depth + 1}\r\n\r\n`,
).join("");

const HOSTILE: Readonly<Record<string, Hostility>> = {
  resets: (ports) => resetMany(anyOf(ports), 20),
  async flood(ports) {
    const port = anyOf(ports);
    const conns = await Promise.all(
      Array.from({ length: 30 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    await pause(200);
    for (const conn of conns) conn.close();
  },
  slowCommand: ({ smtp }) => slowly(smtp, "EHLO a"),
  slowHello: ({ implicitTls }) => slowly(implicitTls, "\x16\x03\x01\0\x3d"),
  slowRequest: ({ admin }) => slowly(admin, "GET / HTTP/1.1\r\nHost: a\r\n"),
  brokenTls: ({ implicitTls }) =>
    connection(implicitTls, (conn) => conn.write(Uint8Array.of(0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0))),
  async brokenStartTls({ submission }) {
    using client = await PlainClient.greet(submission);
    await client.command("STARTTLS");
    await client.write(encoder.encode("EHLO inside\r\n"));
  },
  nonsense: (ports) =>
    connection(anyOf(ports), (conn) => conn.write(crypto.getRandomValues(new Uint8Array(4096)))),
  guesses: ({ implicitTls }) => guess(implicitTls),
  wrongKeys: ({ admin }) =>
    post(`http://127.0.0.1:${admin}/api/v1/messages`, {
      headers: { authorization: "Bearer guess" },
      body: "{}",
    }),
  forgedEvents: ({ events }) =>
    post(`http://127.0.0.1:${events}/events/mg`, {
      body: mailgunBody({ event: "failed", recipient: "b@sink.test" }, { key: "wrong" }),
    }),
  deepJson: ({ events }) =>
    post(`http://127.0.0.1:${events}/events/mg`, { body: "[".repeat(1_000_000) }),
  dots: ({ smtp }) => sendBody(smtp, "..\r\n".repeat(100_000)),
  emptyLines: ({ smtp }) => sendBody(smtp, `${"\r\n".repeat(200_000)}x\r\n`),
  deepMime: ({ smtp }) => sendBody(smtp, NESTED.repeat(10)),
};

/** One kind of honest client: sends a message, and says whether it was accepted. */
type Honest = (ports: Ports, subject: string) => Promise<boolean>;

const HONEST: Readonly<Record<string, Honest>> = {
  async server({ smtp }, subject) {
    return await isAccepted(() => PlainClient.greet(smtp), subject);
  },
  async user({ submission }, subject) {
    const tls = { hostname: "relay.test", caCerts: [authority.certificate] };
    return await isAccepted(async () => {
      const client = await PlainClient.greetInTls(submission, tls);
      const { code } = await client.command(`AUTH PLAIN ${btoa(`\0${USER}\0${PASSWORD}`)}`);
      if (code === 235) return client;
      client[Symbol.dispose]();
      throw new Error(`the login was answered ${code}`);
    }, subject);
  },
  async application({ admin }, subject) {
    const letter = { from: USER, to: "b@sink.test", subject, text: "t" };
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const url = `http://127.0.0.1:${admin}/api/v1/messages`;
    const body = JSON.stringify(letter);
    const response = await post(url, { headers, body }, "127.0.0.1").catch(() => null);
    return response?.status === 201;
  },
};

/** One whole session; false when the relay was full, after which a client tries again. */
async function isAccepted(open: () => Promise<PlainClient>, subject: string): Promise<boolean> {
  let client: PlainClient;
  try {
    client = await open();
  } catch {
    return false;
  }
  using session = client;
  const data = sampleMessage({ subject });
  const { reply } = await session.send({ from: USER, to: ["b@sink.test"], data });
  assertEquals([250, 421].includes(reply.code), true, reply.lines.join(" "));
  return reply.code === 250;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Every listener, with few files, ARC seals and signatures to check. */
async function startAttacked(
  { folder, nextHopPort, dnsAddress }: { folder: string; nextHopPort: number; dnsAddress: string },
) {
  const [submission, implicitTls, admin, events] = [freePort(), freePort(), freePort(), freePort()];
  const key = makeKey("relay.test");
  await Deno.writeTextFile(`${folder}/arc.pem`, key.pem);
  await writePair(folder, "relay");
  await writePair(folder, "other");
  await Deno.writeTextFile(`${folder}/ca.crt`, authority.certificate);
  const crowd = "max_connections_per_address = 10000";
  const relay = await startRelay({
    ...{ folder, nextHopPort, openFiles: 1024, listener: crowd },
    settings: `
      [dns]
      servers = ["${dnsAddress}"]
      [[listeners]]
      name = "submission"
      address = "127.0.0.1"
      port = ${submission}
      tls = "required"
      auth = "required"
      ${crowd}
      [[listeners]]
      name = "submissions"
      address = "127.0.0.1"
      port = ${implicitTls}
      tls = "implicit"
      auth = "required"
      ${crowd}
      [relay]
      networks = []
      domains = ["sink.test"]
      [arc]
      domain = "relay.test"
      selector = "s1"
      key = { file = "${folder}/arc.pem" }
      [admin]
      port = ${admin}
      ${crowd}
      [[admin.tokens]]
      name = "app"
      role = "sender"
      token = "${TOKEN}"
      [provider_events]
      port = ${events}
      ${crowd}
      sources = [{ provider = "mailgun", name = "mg", signing_key = "k" }]
      ${tlsTable(folder)}
      ${await userTable(USER, PASSWORD)}`,
  });
  return { relay, ports: { smtp: relay.port, submission, implicitTls, admin, events }, key };
}

Deno.test("honest clients are served while others do their worst", async () => {
  await using folder = await tempFolder();
  await using sink = startRecordingSink();
  await using dns = await startDnsServer();
  const attacked = await startAttacked({
    ...{ folder: folder.path, nextHopPort: sink.port, dnsAddress: dns.address },
  });
  await using relay = attacked.relay;
  const { ports, key: { key } } = attacked;
  for (const [name, value] of Object.entries(recordsOf([key]))) {
    dns.add(name, "TXT", [value.match(/.{1,255}/g) ?? []]);
  }
  await relay.waitForEvent("started");
  const endMs = performance.now() + MINUTES * 60_000;
  const rounds: Record<string, number> = {};
  const attack = async ([name, act]: [string, Hostility]): Promise<void> => {
    while (performance.now() < endMs) {
      await act(ports).catch(() => {}); // refused or cut, as it should be
      rounds[name] = (rounds[name] ?? 0) + 1;
      await pause(20);
    }
  };
  const subjects: string[] = [];
  const serve = async ([name, send]: [string, Honest]): Promise<string> => {
    const tookMs: number[] = [];
    for (let tries = 0; performance.now() < endMs; tries++) {
      const startMs = performance.now();
      const subject = `honest ${name} ${tries}`;
      if (!await send(ports, subject)) continue;
      subjects.push(subject);
      tookMs.push(performance.now() - startMs);
    }
    return figuresOf(name, tookMs);
  };
  const attacks = Object.entries(HOSTILE).map(attack);
  const figures = await Promise.all(Object.entries(HONEST).map(serve));
  await Promise.all(attacks);
  const arrived = (): Set<string> =>
    new Set(sink.messages.map(({ data }) => subjectOf(new TextDecoder().decode(data))));
  await sink.waitUntil(() => arrived().isSupersetOf(new Set(subjects)), { timeoutMs: 60_000 });
  // deno-lint-ignore no-console -- the figures are what the long form is for
  console.log(`${figures.join("; ")}; ${JSON.stringify(rounds)}`);
  assertEquals(relay.output().includes("EMFILE"), false, "descriptors ran out");
  using last = await PlainClient.greet(ports.smtp);
  assertEquals((await last.command("NOOP")).code, 250);
});

function subjectOf(message: string): string {
  return /^Subject: (honest .*)\r$/m.exec(message)?.[1] ?? "";
}

function figuresOf(name: string, tookMs: readonly number[]): string {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  return `${sorted.length} messages of the ${name}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
