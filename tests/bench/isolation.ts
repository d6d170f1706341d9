/**
 * What a dead and a slow domain among a thousand cost the others: from the moment at which a
 * message is offered to the server until its next hop has taken it.
 */
import { PlainClient } from "../support/plain_client.ts";
import { startRecordingSink } from "../support/recording_sink.ts";
import type { Contender } from "./contender.ts";
import { DNS_ADDRESS, domainNames, sendPipelined, sendToDomains, startDomains } from "./domains.ts";
import { type Figures, messageBody, percentile } from "./figures.ts";
import { startDeadHost, startSlowHost } from "./bad_hosts.ts";

const DOMAINS = 1000;
const DEAD = "d1.test";
const SLOW = "d2.test";
/** Addresses of the two; all other domains are at 127.0.0.1. */
const ADDRESSES: Readonly<Record<string, string>> = {
  [DEAD]: "127.53.53.54",
  [SLOW]: "127.53.53.55",
};
const MESSAGES_PER_SECOND = 100;
const SECONDS = 12;
/** Every tenth message is for the dead domain, every tenth for the slow one. */
const BAD_EVERY = 10;
const SIZE_BYTES = 2048;
const SESSIONS = 20;

/** Delivery times of the other domains, without and with the two. */
export async function measureIsolation(contender: Contender): Promise<Figures> {
  const without = await timesOf(contender, { hasBad: false });
  const beside = await timesOf(contender, { hasBad: true });
  return {
    without_median_ms: percentile(without, 0.5),
    without_p99_ms: percentile(without, 0.99),
    with_median_ms: percentile(beside, 0.5),
    with_p99_ms: percentile(beside, 0.99),
    messages_of_others: beside.length,
  };
}

async function timesOf(
  contender: Contender,
  { hasBad }: { hasBad: boolean },
): Promise<readonly number[]> {
  const times: number[] = [];
  await using sink = startRecordingSink({
    judgeMessage({ data, recipients }) {
      const isOther = recipients.every((address) => !(domainOf(address) in ADDRESSES));
      if (isOther) times.push(performance.now() - offeredAtMs(data));
      return null;
    },
  });
  await using _dead = startDeadHost({ hostname: ADDRESSES[DEAD] ?? "", port: sink.port });
  await using _slow = startSlowHost({ hostname: ADDRESSES[SLOW] ?? "", port: sink.port });
  await using _dns = await startDomains(
    domainNames(DOMAINS),
    (domain) => hasBad ? ADDRESSES[domain] ?? "127.0.0.1" : "127.0.0.1",
  );
  await using server = await contender.start({ nextHopPort: sink.port, dnsAddress: DNS_ADDRESS });
  const good = domainNames(DOMAINS).filter((domain) => !(domain in ADDRESSES));
  await sendToDomains({
    ...{ port: server.port, domains: good, messages: good.length, sessions: SESSIONS },
    data: messageBody(SIZE_BYTES, { endsWithDot: true }),
  });
  await sink.waitUntil(() => times.length >= good.length, { timeoutMs: 120_000 });
  times.length = 0; // every domain has been met once
  const others = await sendAtPace(server.port, good);
  await sink.waitUntil(() => times.length >= others, { timeoutMs: 120_000 });
  return times;
}

/** Sends at a pace that is far below what the server can do; returns how many to good domains. */
async function sendAtPace(port: number, domains: readonly string[]): Promise<number> {
  const total = MESSAGES_PER_SECOND * SECONDS;
  const startedAt = performance.now();
  let next = 0;
  let others = 0;
  const send = async (): Promise<void> => {
    using client = await PlainClient.greet(port);
    while (next < total) {
      const number = next++;
      const dueMs = startedAt + number * 1000 / MESSAGES_PER_SECOND;
      await pause(dueMs - performance.now());
      const bad = number % BAD_EVERY === 0 ? DEAD : number % BAD_EVERY === 5 ? SLOW : null;
      const domain = bad ?? domains[number % domains.length];
      if (bad === null) others++;
      const fields = `X-Offered-At: ${performance.now()}\r\n`;
      const data = messageBody(SIZE_BYTES, { fields, endsWithDot: true });
      await sendPipelined(client, { to: `user@${domain}`, data });
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, send));
  return others;
}

function offeredAtMs(data: Uint8Array): number {
  const header = new TextDecoder().decode(data.subarray(0, 2000));
  return Number(/^X-Offered-At: (\S+)/m.exec(header)?.[1]);
}

function domainOf(address: string): string {
  return address.slice(address.indexOf("@") + 1);
}

function pause(pauseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, pauseMs)));
}
