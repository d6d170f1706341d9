/** How fast mail goes through a server, from source to sink, connections reused on both sides. */
import { generateKey } from "../../src/signing/key.ts";
import { type CountingSink, runSource, startCountingSink } from "../support/load.ts";
import { treeStats } from "../support/process_stats.ts";
import type { Contender, RunningServer, Setup } from "./contender.ts";
import { DNS_ADDRESS, domainNames, sendToDomains, startDomains } from "./domains.ts";
import { type Figures, messageBody } from "./figures.ts";
import { startTlsSink } from "./sinks.ts";

const SIZE_BYTES = 2048;
const SESSIONS = 20;
const DOMAINS = 1000;
const WARM_UP_SHARE = 0.1;
/** Of the messages of a plain run, for set-ups that cost more. */
const SETUP_SHARE = 0.4;

/** To one next hop, plain. */
export async function measureRelay(contender: Contender): Promise<Figures> {
  await using sink = await startCountingSink();
  return await measure(contender, { sink, messages: contender.messages });
}

/** To one next hop, inside TLS. */
export async function measureTls(contender: Contender): Promise<Figures> {
  await using sink = await startTlsSink();
  return await measure(contender, { sink, setup: { tls: true } });
}

/** To one next hop, plain and signed. */
export async function measureSigning(
  contender: Contender,
  { type }: { type: "rsa" | "ed25519" },
): Promise<Figures> {
  await using sink = await startCountingSink();
  const signing = { type, pem: generateKey({ type }) };
  return await measure(contender, { sink, setup: { signing } });
}

/** To a thousand domains, each with an exchanger of its own name at the same sink. */
export async function measureDomains(contender: Contender): Promise<Figures> {
  const domains = domainNames(DOMAINS);
  await using sink = await startCountingSink();
  await using _dns = await startDomains(domains);
  const data = messageBody(SIZE_BYTES, { endsWithDot: true });
  return await measure(contender, {
    sink,
    setup: { dnsAddress: DNS_ADDRESS },
    send: (port, messages) => sendToDomains({ port, messages, domains, data, sessions: SESSIONS }),
  });
}

interface Measuring {
  readonly sink: CountingSink;
  readonly messages?: number;
  readonly setup?: Omit<Setup, "nextHopPort">;
  /** Hands so many messages to the server at the port. */
  readonly send?: (port: number, messages: number) => Promise<unknown>;
}

async function measure(
  contender: Contender,
  { sink, messages = contender.messages * SETUP_SHARE, setup = {}, send = sendToOne }: Measuring,
): Promise<Figures> {
  await using server = await contender.start({ ...setup, nextHopPort: sink.port });
  const warmUp = messages * WARM_UP_SHARE;
  await send(server.port, warmUp);
  await sink.waitForMessages(warmUp);
  const before = await cpuMs(server, sink);
  const startedAt = performance.now();
  await send(server.port, messages);
  const acceptedAt = performance.now();
  await sink.waitForMessages(warmUp + messages);
  const endedAt = performance.now();
  const after = await cpuMs(server, sink);
  return {
    messages_per_second: messages / ((endedAt - startedAt) / 1000),
    accepted_per_second: messages / ((acceptedAt - startedAt) / 1000),
    cpu_ms_per_message: (after.server - before.server) / messages,
    sink_cpu_ms_per_message: (after.sink - before.sink) / messages,
  };
}

async function cpuMs({ pids }: RunningServer, { pid }: CountingSink) {
  return { server: (await treeStats(...pids)).cpuMs, sink: (await treeStats(pid)).cpuMs };
}

function sendToOne(port: number, messages: number): Promise<number> {
  return runSource({ port, messages, sessions: SESSIONS, sizeBytes: SIZE_BYTES });
}
