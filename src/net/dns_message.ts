import { Buffer } from "node:buffer";
import { AUTHENTIC_DATA, decode, type DecodedPacket, encode, RECURSION_DESIRED } from "dns-packet";
import { decodeText } from "../base/bytes.ts";

/** A mail exchanger (RFC 5321 section 5.1). */
export interface MxRecord {
  /** Lower is tried first. */
  readonly preference: number;
  /** Host name; `.` declares that the domain takes no mail (RFC 7505). */
  readonly exchange: string;
}

/** What certificate to expect (RFC 6698 section 2.1). */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  /** The certificate association data. */
  readonly data: Uint8Array;
}

/** Where a service is (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** Host name; `.` declares that the service is not offered. */
  readonly target: string;
}

/** The record types that mail needs, with the form of their data. */
export interface RecordData {
  /** Dotted decimal. */
  readonly A: string;
  readonly AAAA: string;
  readonly MX: MxRecord;
  /** The strings of one record joined (RFC 7208 section 3.3). */
  readonly TXT: string;
  readonly TLSA: TlsaRecord;
  readonly SRV: SrvRecord;
  readonly PTR: string;
  readonly CNAME: string;
}

export type RecordType = keyof RecordData;

/** What to ask. */
export interface DnsQuestion {
  /** A-labels without the final dot. */
  readonly name: string;
  readonly type: RecordType;
}

/** What a server said (RFC 1035 section 4.1, RFC 2308). */
export type DnsAnswer =
  | {
    readonly kind: "answered";
    /** `NOERROR`, `NXDOMAIN`, `SERVFAIL` … */
    readonly rcode: string;
    /** The server says that it has validated the answer (RFC 4035 section 3.2.3). */
    readonly authenticData: boolean;
    /** Data of the records of the asked type. */
    readonly records: readonly RecordData[RecordType][];
    /** The end of the chain of CNAMEs, in lower case. */
    readonly canonicalName: string;
    /** How long the answer, or the absence of one, may be kept. */
    readonly ttlSeconds: number;
  }
  /** It did not fit; ask again over TCP. */
  | { readonly kind: "truncated" }
  /** Not an answer to this question. */
  | { readonly kind: "unrelated" }
  | { readonly kind: "malformed" };

/** Answers up to this size come over UDP; a size that no path fragments (RFC 9715). */
const UDP_PAYLOAD_BYTES = 1232;
const TRUNCATED_BIT = 0x02; // in octet 2, RFC 1035 4.1.1

/** Writes a recursive query that wants to know whether the answer is validated. */
export function encodeQuery(
  { name, type }: DnsQuestion,
  { id, edns }: { id: number; edns: boolean },
): Uint8Array {
  return encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA, // AD in a query: RFC 6840 5.7
    questions: [{ name, type }],
    additionals: edns ? [{ type: "OPT", name: ".", udpPayloadSize: UDP_PAYLOAD_BYTES }] : [],
  });
}

/** Reads what arrived in answer to the query `id` for `question`. */
export function decodeAnswer(bytes: Uint8Array, question: DnsQuestion & { id: number }): DnsAnswer {
  const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (message.length < 12 || message.readUInt16BE(0) !== question.id) return { kind: "unrelated" };
  if ((message.readUInt8(2) & TRUNCATED_BIT) !== 0) return { kind: "truncated" };
  try {
    const packet = decode(message);
    return answers(packet, question) ? toAnswer(packet, question) : { kind: "unrelated" };
  } catch {
    return { kind: "malformed" }; // the decoder throws whatever its cursor ran into
  }
}

function answers(packet: DecodedPacket, { name, type }: DnsQuestion): boolean {
  const asked = packet.questions[0];
  if (packet.type !== "response" || packet.questions.length > 1) return false;
  // A server that did not understand the query may leave the question out.
  if (asked === undefined) return packet.rcode !== "NOERROR" && packet.rcode !== "NXDOMAIN";
  return asked.type === type && normalName(asked.name) === normalName(name);
}

function toAnswer(packet: DecodedPacket, { name, type }: DnsQuestion): DnsAnswer {
  const chain = followAliases(packet, name);
  const found = packet.answers.filter((record) =>
    record.type === type && (type === "CNAME" || normalName(record.name) === chain.canonicalName)
  );
  const ttls = found.length > 0 ? [...chain.ttls, ...found.map(({ ttl }) => ttl)] : [];
  return {
    kind: "answered",
    rcode: packet.rcode,
    authenticData: packet.flag_ad,
    records: found.map(({ data }) => recordData(type, data)),
    canonicalName: chain.canonicalName,
    ttlSeconds: ttls.length > 0 ? Math.min(...ttls) : negativeTtlSeconds(packet),
  };
}

/** Follows CNAMEs within one answer (RFC 1034 section 3.6.2), a loop of them included. */
function followAliases(
  { answers }: DecodedPacket,
  name: string,
): { canonicalName: string; ttls: number[] } {
  const ttls: number[] = [];
  let canonicalName = normalName(name);
  for (let step = 0; step < answers.length; step++) {
    const alias = answers.find((record) =>
      record.type === "CNAME" && normalName(record.name) === canonicalName
    );
    if (alias === undefined) break;
    ttls.push(alias.ttl);
    canonicalName = normalName(String(alias.data));
  }
  return { canonicalName, ttls };
}

/** RFC 2308 section 5: the lesser of the SOA's own TTL and its MINIMUM field. */
function negativeTtlSeconds({ authorities }: DecodedPacket): number {
  for (const { type, ttl, data } of authorities) {
    if (type === "SOA" && isObject(data)) return Math.min(ttl, numberOf(data, "minimum"));
  }
  return 0;
}

function recordData(type: RecordType, data: unknown): RecordData[RecordType] {
  switch (type) {
    case "A":
    case "AAAA":
      return String(data);
    case "CNAME":
    case "PTR":
      return normalName(String(data));
    case "TXT":
      return decodeText(Buffer.concat(data as Uint8Array[]));
    case "MX": {
      const fields = data as { preference: number; exchange: string };
      return { preference: fields.preference, exchange: normalName(fields.exchange) };
    }
    case "SRV": {
      const { priority, weight, port, target } = data as SrvRecord;
      return { priority, weight, port, target: normalName(target) };
    }
    case "TLSA": {
      const fields = data as Omit<TlsaRecord, "data"> & { certificate: Uint8Array };
      const { usage, selector, matchingType } = fields;
      return { usage, selector, matchingType, data: new Uint8Array(fields.certificate) };
    }
  }
}

/** Lower case, without the final dot; the root stays `.`. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length > 1 && lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function numberOf(fields: Record<string, unknown>, key: string): number {
  const value = fields[key];
  return typeof value === "number" ? value : 0;
}
