/** What a server may send besides the answer, and what becomes of the time. */
import { assertEquals } from "@std/assert";
import { decode, encode } from "dns-packet";
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { encodeQuery } from "../../src/net/dns_message.ts";
import { createResolver, type ResolverOptions } from "../../src/net/resolver.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { startDnsServer } from "../support/dns_server.ts";

const HOUR_MS = 3_600_000;
const [NOERROR, SERVFAIL, NXDOMAIN] = [0, 2, 3];

/** A server that answers each query with these datagrams; `null` is silence. */
async function rawServer(
  answers: (query: ReturnType<typeof decode>, bytes: Buffer) => readonly Buffer[],
) {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const queries: ReturnType<typeof decode>[] = [];
  socket.on("message", (bytes: Buffer, { port, address }: RemoteInfo) => {
    const query = decode(bytes);
    queries.push(query);
    for (const answer of answers(query, bytes)) socket.send(answer, port, address);
  });
  return {
    address: `127.0.0.1:${socket.address().port}`,
    queries,
    [Symbol.asyncDispose]: () => closed(socket),
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

function answerTo(
  { id, questions }: ReturnType<typeof decode>,
  { address = "192.0.2.1", ttl = 60, ...changes }: {
    address?: string;
    ttl?: number;
    id?: number;
    name?: string;
  } = {},
): Buffer {
  const question = { ...questions?.[0], type: "A", name: changes.name ?? "host.test" } as const;
  return Buffer.from(encode({
    ...{ type: "response", id: changes.id ?? id ?? 0, flags: 0, questions: [question] },
    answers: [{ type: "A", name: question.name, ttl, data: address }],
  }));
}

function nothingFor({ id, questions }: ReturnType<typeof decode>): Buffer {
  return Buffer.from(encode({ type: "response", id, flags: 0, questions }));
}

function resolverOf(address: string, options: ResolverOptions = {}) {
  return createResolver({
    ...{ servers: [address], timeoutMs: 2_000, attempts: 1, hosts: new Map() },
    ...{ clock: systemClock, random: seededRandom(1), ...options },
  });
}

async function addressesOf(address: string): Promise<readonly string[]> {
  using resolver = resolverOf(address);
  const found = await resolver.addresses("host.test");
  return found.kind === "found" ? found.records.map((record) => record.address) : [found.kind];
}

const DECOYS: readonly (readonly [string, Parameters<typeof answerTo>[1]])[] = [
  ["another id", { id: 1, address: "203.0.113.6" }],
  ["another name", { name: "other.test", address: "203.0.113.6" }],
];

for (const [what, decoy] of DECOYS) {
  Deno.test(`dns exchange: an answer with ${what} is passed over for the right one`, async () => {
    await using server = await rawServer((query) =>
      query.questions?.[0]?.type === "A"
        ? [answerTo(query, decoy), Buffer.from([0, 1]), answerTo(query)]
        : [nothingFor(query)]
    );
    assertEquals(await addressesOf(server.address), ["192.0.2.1"]);
  });
}

Deno.test("dns exchange: each question has an id of its own, by chance", async () => {
  await using server = await rawServer((query) => [nothingFor(query)]);
  using resolver = resolverOf(server.address);
  for (let time = 0; time < 8; time++) await resolver.txt(`n${time}.test`);
  assertEquals(new Set(server.queries.map(({ id }) => id)).size, 8);
  assertEquals(server.queries.some(({ id = 0 }) => id > 255), true);
  assertEquals(server.queries.some(({ id = 0 }) => id % 256 !== 0), true);
});

Deno.test("dns exchange: a query asks for recursion, the answer's AD, and EDNS with 1232 octets", () => {
  const question = { name: "a.test", type: "A" } as const;
  const query = encodeQuery(question, { id: 0x0102, edns: true });
  assertEquals([...query.subarray(0, 12)], [1, 2, 1, 0x20, 0, 1, 0, 0, 0, 0, 0, 1]);
  assertEquals([...query.subarray(-11)], [0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, 0, 0]);
  const old = encodeQuery(question, { id: 1, edns: false });
  assertEquals([...old.subarray(4, 12)], [0, 1, 0, 0, 0, 0, 0, 0]);
});

Deno.test("dns exchange: a server that is silent is given up after its time", async () => {
  const clock = new ManualClock();
  await using server = await rawServer(() => []);
  using resolver = resolverOf(server.address, { clock, attempts: 2, timeoutMs: 1_000 });
  let isDone = false;
  const asking = resolver.txt("host.test").finally(() => isDone = true);
  await settle();
  await clock.advance(1_999);
  assertEquals(isDone, false);
  await clock.advance(1);
  assertEquals(await asking, { kind: "temporary", reason: "timeout" });
});

Deno.test("dns exchange: nothing is kept of a question that failed", async () => {
  await using dns = await startDnsServer();
  dns.add("host.test", "A", ["192.0.2.1"]);
  dns.misbehave("host.test", "SERVFAIL");
  using resolver = resolverOf(dns.address);
  assertEquals((await resolver.addresses("host.test")).kind, "temporary");
  dns.misbehave("host.test", null);
  assertEquals((await resolver.addresses("host.test")).kind, "found");
});

Deno.test("dns exchange: a day is the longest that an answer is kept, a quarter of an hour that there is none", async () => {
  const clock = new ManualClock();
  await using dns = await startDnsServer();
  dns.add("host.test", "TXT", ["a"], { ttlSeconds: 30 * 86_400 });
  using resolver = resolverOf(dns.address, { clock });
  const found = await resolver.txt("host.test");
  assertEquals(found.kind === "found" && found.ttlMs, 24 * HOUR_MS);
  await clock.advance(24 * HOUR_MS - 1);
  const last = await resolver.txt("host.test");
  assertEquals([last.kind === "found" && last.ttlMs, dns.queries.length], [1, 1]);
  await clock.advance(1);
  await resolver.txt("host.test");
  assertEquals(dns.queries.length, 2);
  const none = await resolver.txt("gone.test");
  assertEquals(none.kind !== "temporary" && none.ttlMs <= 900_000, true);
});

Deno.test("dns exchange: the names of the machine and addresses are known for a day, and not authentic", async () => {
  await using dns = await startDnsServer();
  const hosts = new Map([["own.test", ["192.0.2.9", "2001:db8::9"]]]);
  using resolver = resolverOf(dns.address, { hosts, trustAd: true });
  const known = async (name: string) => {
    const found = await resolver.addresses(name);
    return found.kind === "found"
      ? [
        found.records.map(({ address, family }) => `${family} ${address}`),
        found.authentic,
        found.ttlMs,
      ]
      : [found.kind];
  };
  assertEquals(await known("own.test."), [["4 192.0.2.9", "6 2001:db8::9"], false, 24 * HOUR_MS]);
  assertEquals(await known("192.0.2.1"), [["4 192.0.2.1"], false, 24 * HOUR_MS]);
  assertEquals(await known("a.localhost"), [["4 127.0.0.1", "6 ::1"], false, 24 * HOUR_MS]);
  assertEquals(dns.queries.length, 0);
});

Deno.test("dns exchange: addresses are asked backwards", async () => {
  await using dns = await startDnsServer();
  using resolver = resolverOf(dns.address);
  await resolver.ptr("192.0.2.10");
  await resolver.ptr("2001:db8::1f");
  assertEquals(dns.queries, [
    "PTR 10.2.0.192.in-addr.arpa",
    "PTR f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
  ]);
  assertEquals((await resolver.ptr("no address")).kind, "nonexistent");
});

Deno.test("dns exchange: a loopback server is trusted to validate, another only when it is said", async () => {
  for (const [trustAd, expected] of [[undefined, true], [false, false], [true, true]] as const) {
    await using dns = await startDnsServer();
    dns.authentic = true;
    dns.add("host.test", "A", ["192.0.2.1"]);
    dns.add("host.test", "AAAA", ["2001:db8::1"]);
    using resolver = resolverOf(dns.address, trustAd === undefined ? {} : { trustAd });
    const found = await resolver.addresses("host.test");
    assertEquals(found.kind === "found" && found.authentic, expected);
  }
});

Deno.test("dns exchange: names that cannot be are not asked", async () => {
  await using dns = await startDnsServer();
  using resolver = resolverOf(dns.address);
  const long = "a".repeat(63);
  const kinds: string[] = [];
  for (const name of [`${long}a.test`, "a..test", "", `${`${long}.`.repeat(4)}test`]) {
    kinds.push((await resolver.txt(name)).kind);
  }
  assertEquals([kinds, dns.queries.length], [Array(4).fill("nonexistent"), 0]);
  await resolver.txt(`${long}.test`);
  assertEquals(dns.queries.length, 1);
});

/** What comes of the two families of addresses, by their answers: rcodes, or an address. */
const FAMILIES: readonly [ipv6: number | string, ipv4: number | string, kind: string][] = [
  ["2001:db8::1", "192.0.2.1", "found"],
  ["2001:db8::1", SERVFAIL, "found"],
  [SERVFAIL, "192.0.2.1", "found"],
  [SERVFAIL, NXDOMAIN, "temporary"],
  [NXDOMAIN, SERVFAIL, "temporary"],
  [NOERROR, SERVFAIL, "temporary"],
  [SERVFAIL, NOERROR, "temporary"],
  [NOERROR, NXDOMAIN, "none"],
  [NXDOMAIN, NOERROR, "none"],
  [NXDOMAIN, NXDOMAIN, "nonexistent"],
];

Deno.test("dns exchange: a family that cannot be asked for may be there, although the other is not", async () => {
  for (const [ipv6, ipv4, kind] of FAMILIES) {
    await using server = await rawServer(({ id = 0, questions = [] }) => {
      const [question] = questions;
      if (question === undefined) return [];
      const { name } = question;
      const said = question.type === "AAAA" ? ipv6 : ipv4;
      const answers = typeof said === "string"
        ? [{ type: question.type as "A", name, ttl: 60, data: said }]
        : [];
      const flags = typeof said === "string" ? NOERROR : said;
      return [Buffer.from(encode({ type: "response", id, flags, questions, answers }))];
    });
    using resolver = resolverOf(server.address, { attempts: 1 });
    assertEquals((await resolver.addresses("host.test")).kind, kind, `${ipv6} ${ipv4}`);
  }
});

Deno.test("dns exchange: EDNS is asked for first, and left out for who does not know it", async () => {
  for (const refusal of [1, 4]) { // FORMERR, NOTIMP
    const asked: number[] = [];
    await using server = await rawServer((query, bytes) => {
      const { id = 0, questions = [] } = query;
      const records = bytes[11] ?? 0;
      if (questions[0]?.type === "A") asked.push(records);
      if (records === 0) return [answerTo(query)];
      const refused = { type: "response", id, flags: refusal, questions } as const;
      return [Buffer.from(encode(refused))];
    });
    using resolver = resolverOf(server.address, { attempts: 1 });
    assertEquals((await resolver.addresses("host.test")).kind, "found");
    assertEquals(asked, [1, 0]);
  }
});
