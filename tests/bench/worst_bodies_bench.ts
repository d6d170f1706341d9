/**
 * What the worst bodies of a stranger cost: CPU of the relay's process, and for how long another
 * session waits for the reply to NOOP meanwhile. Each body goes through a real relay: plain, of a
 * stranger whose DKIM signatures are checked and whose mail is sealed, and of a trusted client.
 *
 *     deno run --config tests/deno.json -A tests/bench/worst_bodies_bench.ts [--mib=50] [--only=dots]
 */
import { Buffer } from "node:buffer";
import { parseArgs } from "@std/cli/parse-args";
import { makeKey, recordsOf } from "../signing/verify_setup.ts";
import { startDnsServer } from "../support/dns_server.ts";
import { tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { treeStats } from "../support/process_stats.ts";
import { type RelayProcess, startRelay } from "../support/relay_process.ts";

const { mib, only } = parseArgs(Deno.args, { default: { mib: 50, only: "" } });
const BYTES = Number(mib) * 1024 * 1024;

const HEAD =
  "From: a@source.test\r\nTo: b@sink.test\r\nSubject: worst\r\nMessage-ID: <w@source.test>\r\n";
const SIGNATURES = Array.from(
  { length: 10 },
  (_, index) =>
    `DKIM-Signature: v=1; a=rsa-sha256; c=${index % 2 ? "simple/simple" : "relaxed/relaxed"};` +
    ` d=source.test; s=s${index}; h=from:to:subject; l=${1_000_000 + index};\r\n` +
    ` bh=${"A".repeat(43)}=; b=${"B".repeat(340)}==\r\n` +
    `DKIM-Signature: v=1; a=rsa-sha256; c=${index % 2 ? "simple/simple" : "relaxed/relaxed"};` +
    ` d=source.test; s=s${index}; h=from:to:subject;\r\n` +
    ` bh=${"A".repeat(43)}=; b=${"B".repeat(340)}==\r\n`,
).join("");

const many = (text: string): string => text.repeat(Math.ceil(BYTES / text.length));
const nested = Array.from(
  { length: 2_000 },
  (_, depth) => `--b${depth}\r\nContent-Type: multipart/mixed; boundary=b${depth + 1}\r\n\r\n`,
).join("");

/** Header fields and body, as they go over the wire. What is too large a header is refused. */
const BODIES: Readonly<Record<string, () => readonly [string, string]>> = {
  "text": () => ["", many(`${"The quick brown fox jumps over the lazy dog. ".repeat(2)}\r\n`)],
  "dots": () => ["", many("..\r\n")],
  "dots and text": () => ["", many("..a b\r\n")],
  "empty lines": () => ["", many("\r\n")],
  "spaces": () => ["", many(" \t a \r\n")],
  "blank lines": () => ["", many(" \r\n")],
  "long lines": () => ["", many(`${"x".repeat(990)}\r\n`)],
  "one line": () => ["", `${many("x")}\r\n`],
  "deep MIME": () => [
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n",
    many(nested),
  ],
  "boundaries": () => [
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
    many("--b\r\n"),
  ],
  "thousand fields": () => [
    Array.from({ length: 1_000 }, (_, index) => `X-${index}: a b\r\n`).join(""),
    many("text\r\n"),
  ],
  "encoded words": () => [
    `Subject: ${Array(100).fill("=?utf-8?q?=C3=A4?=").join("\r\n ")}\r\n`.repeat(20),
    many(`${"=?utf-8?q?a?= ".repeat(60)}\r\n`),
  ],
  "quoted-printable": () => [
    "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n",
    many("=3D=\r\n"),
  ],
  "soft breaks": () => [
    "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n",
    many("=\r\n"),
  ],
  "base64 by characters": () => [
    "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n",
    many("A\r\n"),
  ],
  "spaces and tabs": () => ["", many(`${" \t".repeat(40)}\r\n`)],
  "many addresses": () => [
    `To: ${Array(3_000).fill("((a)b) x@sink.test").join(",\r\n ")}\r\n`,
    many("text\r\n"),
  ],
  "10,000 addresses": () => [
    Array.from({ length: 10 }, () => `To: ${Array(1_000).fill("x@sink.test").join(",\r\n ")}\r\n`)
      .join(""),
    many("text\r\n"),
  ],
  "field of a MiB": () => [`X-Long:${" word\r\n".repeat(100_000)} end\r\n`, many("text\r\n")],
  "huge b=": () => [
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=source.test; s=s1; h=from; bh=AA==;` +
    ` b=${"B".repeat(60_000)}\r\n`,
    many("..\r\n"),
  ],
  "1,000 signatures": () => [
    Array.from(
      { length: 1_000 },
      (_, index) =>
        `DKIM-Signature: v=1; a=${index % 2 ? "rsa-sha256" : "ed25519-sha256"};` +
        ` c=${index % 3 ? "simple/relaxed" : "relaxed/simple"}; d=d${index}.source.test; s=s;` +
        ` h=from:to; bh=AA==; b=AAAA\r\n`,
    ).join(""),
    many("..\r\n"),
  ],
  "bare LF": () => ["", `${many("\n")}\r\n`],
  "bare CR": () => ["", `${many("\r")}\r\n`],
};

async function send(port: number, message: string): Promise<string> {
  using client = await PlainClient.greet(port);
  await client.command("MAIL FROM:<a@source.test>");
  await client.command("RCPT TO:<b@sink.test>");
  await client.command("DATA");
  await client.write(Buffer.from(`${message}.\r\n`, "latin1"));
  const { code, lines } = await client.readReply();
  return `${code} ${lines[0]}`;
}

/** Asks NOOP all the time; answers the delays in milliseconds once it is stopped. */
function probe(port: number): () => Promise<number[]> {
  let isOver = false;
  const delays: number[] = [];
  // A session may give only so many commands.
  const ask = async (): Promise<void> => {
    using client = await PlainClient.greet(port);
    for (let count = 0; count < 50 && !isOver; count++) {
      const startMs = performance.now();
      await client.command("NOOP");
      delays.push(performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const running = (async () => {
    while (!isOver) await ask();
  })();
  return async () => {
    isOver = true;
    await running;
    return delays.toSorted((a, b) => a - b);
  };
}

async function measure(relay: RelayProcess, message: string): Promise<string> {
  const before = await treeStats(relay.pid);
  const stop = probe(relay.port);
  const startMs = performance.now();
  const reply = await send(relay.port, message);
  const tookMs = performance.now() - startMs;
  const delays = await stop();
  const cpuMs = (await treeStats(relay.pid)).cpuMs - before.cpuMs;
  const at = (share: number): string =>
    (delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? 0).toFixed(0);
  return [
    `${(cpuMs / 1000).toFixed(2)} s`.padStart(8),
    `${(tookMs / 1000).toFixed(2)} s`.padStart(8),
    `${at(0.99)} ms`.padStart(8),
    `${at(1)} ms`.padStart(8),
    reply.slice(0, 50),
  ].join("  ");
}

const key = makeKey("relay.test");
await using dns = await startDnsServer();
for (const [name, value] of Object.entries(recordsOf([key.key]))) {
  for (let index = 0; index < 10; index++) {
    const own = index === 0 ? name : `s${index}._domainkey.source.test`;
    dns.add(own, "TXT", [value.match(/.{1,255}/g) ?? []]);
  }
}
const say = (line: string): void =>
  void Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
say(`${"body".padEnd(18)}     CPU      took  p99 NOOP  max NOOP  reply`);
/** Who the sender is, and what is checked of the message. */
const SETTINGS = {
  "plain": { settings: "", networks: "192.0.2.0/24", fields: "" },
  "a stranger, with ARC and 20 signatures": {
    settings: `
      [arc]
      domain = "relay.test"
      selector = "s1"
      key = { file = "key.pem" }`,
    networks: "192.0.2.0/24",
    fields: SIGNATURES,
  },
  "a trusted client, signed and sealed": {
    settings: `
      [arc]
      domain = "relay.test"
      selector = "s1"
      key = { file = "key.pem" }
      trusted = true
      [[dkim]]
      domain = "source.test"
      selector = "s1"
      key = { file = "key.pem" }`,
    networks: "127.0.0.0/8",
    fields: SIGNATURES,
  },
};
for (const [what, { settings, networks, fields: signatures }] of Object.entries(SETTINGS)) {
  await using folder = await tempFolder();
  await Deno.writeTextFile(`${folder.path}/key.pem`, key.pem);
  await using relay = await startRelay({
    folder: folder.path,
    nextHopPort: 1,
    settings: `
      [dns]
      servers = ["${dns.address}"]
      [limits]
      message_size = "64MiB"
      [relay]
      networks = ["${networks}"]
      domains = ["sink.test"]
      ${settings.replaceAll("key.pem", `${folder.path}/key.pem`)}`,
  });
  say(`--- ${what}`);
  await measure(relay, `${HEAD}\r\nwarm up\r\n`);
  for (const [name, make] of Object.entries(BODIES)) {
    if (only !== "" && only !== name) continue;
    const [fields, body] = make();
    const message = `${HEAD}${signatures}${fields}\r\n${body}`;
    say(`${name.padEnd(18)}${await measure(relay, message)}`);
  }
}
