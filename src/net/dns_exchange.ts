import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Conn, Endpoint } from "./conn.ts";
import { dial } from "./dial.ts";
import { formatEndpoint } from "./endpoint.ts";
import { readFully } from "./read_fully.ts";
import { decodeAnswer, type DnsAnswer, type DnsQuestion, encodeQuery } from "./dns_message.ts";

/** What one question to one server came to. */
export type DnsExchange =
  | Extract<DnsAnswer, { kind: "answered" | "malformed" }>
  | { readonly kind: "timeout" }
  /** The server cannot be reached. */
  | { readonly kind: "unreachable" };

/** One question to one server. */
export interface DnsExchangeOptions {
  readonly server: Endpoint;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

type Ask = DnsExchangeOptions & { readonly question: DnsQuestion & { readonly id: number } };

/**
 * Asks one server once: over UDP, from a fresh port and with a random id so that answers are hard
 * to forge (RFC 5452 section 9.2), then over TCP when the answer does not fit (RFC 7766 section 5).
 */
export async function exchange(
  question: DnsQuestion,
  options: DnsExchangeOptions,
): Promise<DnsExchange> {
  const ask = { ...options, question: { ...question, id: randomId(options.random) } };
  const answer = await askOverUdp(ask, { edns: true });
  // Some old servers know no EDNS and say so (RFC 6891 section 7).
  if (answer.kind === "answered" && isEdnsRefusal(answer.rcode)) {
    return withoutTruncation(await askOverUdp(ask, { edns: false }), ask);
  }
  return withoutTruncation(answer, ask);
}

function isEdnsRefusal(rcode: string): boolean {
  return rcode === "FORMERR" || rcode === "NOTIMP";
}

function withoutTruncation(
  answer: DnsExchange | { kind: "truncated" },
  ask: Ask,
): DnsExchange | Promise<DnsExchange> {
  return answer.kind === "truncated" ? askOverTcp(ask) : answer;
}

function randomId(random: Random): number {
  const [high, low] = random.fill(new Uint8Array(2));
  return ((high ?? 0) << 8) | (low ?? 0);
}

function askOverUdp(
  { question, server, timeoutMs, clock, signal }: Ask,
  { edns }: { edns: boolean },
): Promise<DnsExchange | { kind: "truncated" }> {
  if (!mayAsk(server)) return Promise.resolve({ kind: "unreachable" });
  return new Promise((resolve) => {
    const socket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
    const end = (result: DnsExchange | { kind: "truncated" }): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners();
      socket.close();
      resolve(result);
    };
    const onAbort = (): void => end({ kind: "timeout" });
    const cancel = clock.schedule(timeoutMs, onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", () => end({ kind: "unreachable" }));
    socket.on("message", (bytes) => {
      const answer = decodeAnswer(bytes, question);
      if (answer.kind !== "unrelated") end(answer);
    });
    socket.once("connect", () => socket.send(encodeQuery(question, { id: question.id, edns })));
    socket.connect(server.port, server.address); // the system drops what others send
  });
}

/**
 * Whether the runtime lets a datagram socket reach a server. It ends the process otherwise, where
 * nothing can catch it.
 */
function mayAsk({ address, port }: Endpoint): boolean {
  const any = address.includes(":") ? "[::]:0" : "0.0.0.0:0";
  return [any, formatEndpoint({ address, port })].every((host) =>
    Deno.permissions.querySync({ name: "net", host }).state === "granted"
  );
}

async function askOverTcp(ask: Ask): Promise<DnsExchange> {
  const { server, timeoutMs, clock, signal, question } = ask;
  const dialled = await dial(server, { timeoutMs, clock, signal });
  if (dialled.kind === "timeout" || dialled.kind === "aborted") return { kind: "timeout" };
  if (dialled.kind !== "connected") return { kind: "unreachable" };
  const { conn } = dialled;
  const close = (): void => conn.close();
  const cancel = clock.schedule(timeoutMs, close);
  signal.addEventListener("abort", close, { once: true });
  try {
    await conn.write(framed(encodeQuery(question, { id: question.id, edns: true })));
    const answer = decodeAnswer(await readFramed(conn), question);
    return answer.kind === "answered" ? answer : { kind: "malformed" };
  } catch {
    return { kind: "timeout" };
  } finally {
    cancel();
    signal.removeEventListener("abort", close);
    close();
  }
}

/** RFC 1035 section 4.2.2: two octets of length, in one write with the message. */
function framed(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(2 + message.length);
  frame.writeUInt16BE(message.length);
  frame.set(message, 2);
  return frame;
}

async function readFramed(conn: Conn): Promise<Uint8Array> {
  const [high, low] = await readFully(conn, 2);
  return await readFully(conn, ((high ?? 0) << 8) | (low ?? 0));
}
