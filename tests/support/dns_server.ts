import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import {
  AUTHENTIC_DATA,
  decode,
  type DecodedPacket,
  encode,
  type ResourceRecord,
  TRUNCATED_RESPONSE,
} from "dns-packet";

/** Data of a record, in the form that `dns-packet` writes. */
export interface ZoneData {
  readonly A: string;
  readonly AAAA: string;
  readonly MX: { readonly preference: number; readonly exchange: string };
  readonly TXT: string | readonly string[];
  readonly TLSA: {
    readonly usage: number;
    readonly selector: number;
    readonly matchingType: number;
    readonly certificate: Uint8Array;
  };
  readonly SRV: {
    readonly priority: number;
    readonly weight: number;
    readonly port: number;
    readonly target: string;
  };
  readonly PTR: string;
  readonly CNAME: string;
}

/** How a name misbehaves, whatever the type asked. */
export type Misbehaviour =
  | "SERVFAIL"
  | "REFUSED"
  | "FORMERR"
  /** No answer at all. */
  | "silence"
  /** The first answer gets lost, the later ones arrive. */
  | "silence_once"
  /** Octets that are no DNS message behind the id. */
  | "garbage"
  /** Over UDP only the truncation bit; all of it over TCP. */
  | "truncation"
  /** Understands no EDNS: FORMERR to queries with an OPT record. */
  | "no_edns";

/** A DNS server on loopback, for UDP and TCP, with a zone that tests write. */
export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port` or so, as `createResolver({ servers })` wants it. */
  readonly address: string;
  /** What was asked so far, such as `MX example.org`. */
  readonly queries: readonly string[];
  /** Whether answers say that they are validated. */
  authentic: boolean;
  /** Adds records. A name that was added has no records of other types (NODATA). */
  add<Type extends keyof ZoneData>(
    name: string,
    type: Type,
    records: readonly ZoneData[Type][],
    options?: { ttlSeconds?: number },
  ): void;
  /** Removes all records of a name, which does not exist then (NXDOMAIN). */
  remove(name: string): void;
  /** Makes questions about a name fail; `null` makes them work again. */
  misbehave(name: string, how: Misbehaviour | null): void;
}

/** Starts a DNS server on a port that the system chooses, where none is given. */
export async function startDnsServer(
  { hostname = "127.0.0.1", port: wanted = 0 }: { hostname?: string; port?: number } = {},
): Promise<DnsServer> {
  const udp = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(wanted, hostname, resolve);
  });
  const { port } = udp.address();
  try {
    return new ZoneServer(udp, Deno.listen({ hostname, port }));
  } catch (error) {
    udp.close();
    if (wanted === 0 && error instanceof Deno.errors.AddrInUse) return await startDnsServer();
    throw error;
  }
}

const NEGATIVE_TTL_SECONDS = 60;

class ZoneServer implements DnsServer {
  readonly address: string;
  readonly queries: string[] = [];
  authentic = false;
  readonly #udp: Socket;
  readonly #tcp: Deno.TcpListener;
  readonly #zone = new Map<string, ResourceRecord[]>();
  readonly #misbehaviour = new Map<string, Misbehaviour>();
  readonly #serving: Promise<void>;

  constructor(udp: Socket, tcp: Deno.TcpListener) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = `${tcp.addr.hostname}:${tcp.addr.port}`;
    udp.on("message", (bytes, from) => this.#onMessage(bytes, from));
    this.#serving = this.#serveTcp();
  }

  add<Type extends keyof ZoneData>(
    name: string,
    type: Type,
    records: readonly ZoneData[Type][],
    { ttlSeconds = 300 }: { ttlSeconds?: number } = {},
  ): void {
    const added = records.map((data) => ({ name, type, ttl: ttlSeconds, data }));
    this.#zone.set(name, [...this.#zone.get(name) ?? [], ...added]);
  }

  remove(name: string): void {
    this.#zone.delete(name);
  }

  misbehave(name: string, how: Misbehaviour | null): void {
    if (how === null) this.#misbehaviour.delete(name);
    else this.#misbehaviour.set(name, how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tcp.close();
    await new Promise<void>((resolve) => this.#udp.close(resolve));
    await this.#serving;
  }

  #onMessage(bytes: Uint8Array, from: RemoteInfo): void {
    const answer = this.#answer(bytes, { overTcp: false });
    if (answer !== null) this.#udp.send(answer, from.port, from.address);
  }

  async #serveTcp(): Promise<void> {
    for await (const conn of this.#tcp) {
      using _conn = conn;
      const query = new Uint8Array(2048);
      const lengthBytes = await conn.read(query);
      if (lengthBytes === null) continue;
      const answer = this.#answer(query.subarray(2, lengthBytes), { overTcp: true });
      if (answer === null) continue;
      const prefix = Uint8Array.of(answer.length >> 8, answer.length & 0xff);
      await conn.write(Buffer.concat([prefix, answer]));
    }
  }

  #answer(bytes: Uint8Array, { overTcp }: { overTcp: boolean }): Uint8Array | null {
    const query = decode(Buffer.from(bytes)) as DecodedPacket & { additionals: unknown[] };
    const question = query.questions[0];
    if (question === undefined) return null;
    const { name, type } = question;
    this.queries.push(`${type} ${name}`);
    const how = this.#misbehaviour.get(name);
    switch (how) {
      case "silence":
        return null;
      case "silence_once":
        this.#misbehaviour.delete(name);
        return null;
      case "garbage":
        return Buffer.from([query.id >> 8, query.id & 255, ...new Uint8Array(20).fill(255, 1)]);
      case "SERVFAIL":
      case "REFUSED":
      case "FORMERR":
        return this.#respond(query, { rcode: RCODES[how] });
      case "no_edns":
        if (query.additionals.length > 0) return this.#respond(query, { rcode: RCODES.FORMERR });
        break;
      case "truncation":
        if (!overTcp) return this.#respond(query, { flags: TRUNCATED_RESPONSE });
    }
    return this.#fromZone(query, { name, type });
  }

  #fromZone(query: DecodedPacket, { name, type }: { name: string; type: string }): Uint8Array {
    const answers: ResourceRecord[] = [];
    let owner = name;
    let records = this.#zone.get(owner);
    for (let hops = 0; hops < 8 && records !== undefined; hops++) {
      answers.push(...records.filter((record) => record.type === type));
      const alias = records.find((record) => record.type === "CNAME");
      if (alias === undefined || type === "CNAME") break;
      answers.push(alias);
      owner = String(alias.data);
      records = this.#zone.get(owner);
    }
    const rcode = records === undefined && !this.#hasNamesBelow(owner) ? RCODES.NXDOMAIN : 0;
    return this.#respond(query, { rcode, answers });
  }

  #hasNamesBelow(name: string): boolean {
    return this.#zone.keys().some((owner) => owner.endsWith(`.${name}`));
  }

  #respond(
    { id, questions }: DecodedPacket,
    { rcode = 0, flags = 0, answers = [] }: {
      rcode?: number;
      flags?: number;
      answers?: readonly ResourceRecord[];
    },
  ): Uint8Array {
    return encode({
      type: "response",
      id,
      flags: rcode | flags | (this.authentic ? AUTHENTIC_DATA : 0),
      questions,
      answers,
      authorities: answers.length > 0 ? [] : [START_OF_AUTHORITY],
    });
  }
}

const RCODES = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

const START_OF_AUTHORITY: ResourceRecord = {
  name: ".",
  type: "SOA",
  ttl: 3600,
  data: {
    mname: "ns.test",
    rname: "hostmaster.test",
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86400,
    minimum: NEGATIVE_TTL_SECONDS,
  },
};
