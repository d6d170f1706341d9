import { AUTHENTIC_DATA, encode, RECURSION_DESIRED } from "dns-packet";
import { concatBytes, decodeText } from "../base/bytes.ts";
import { DnsFormatError, DnsReader, type RawRecord } from "./dns_reader.ts";

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

// RFC 1035 4.1.1, RFC 4035 3.2.3
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const AUTHENTIC = 0x0020;
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

const TYPE_CODES: Readonly<Record<RecordType, number>> = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  TLSA: 52,
};
const SOA = 6;

/** Servers follow eight or so; more is a ladder that somebody built. */
const MAX_ALIASES = 32;

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
  try {
    return readAnswer(new DnsReader(bytes), question);
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    return { kind: bytes.length < HEADER_BYTES ? "unrelated" : "malformed" };
  }
}

const HEADER_BYTES = 12;

function readAnswer(reader: DnsReader, question: DnsQuestion & { id: number }): DnsAnswer {
  if (reader.u16() !== question.id) return { kind: "unrelated" };
  const flags = reader.u16();
  const [questions, answers, authorities] = [reader.u16(), reader.u16(), reader.u16()];
  reader.u16(); // what is additional is not read
  if ((flags & TRUNCATED) !== 0) return { kind: "truncated" };
  const rcode = RCODES[flags & 15] ?? `RCODE_${flags & 15}`;
  if ((flags & RESPONSE) === 0 || questions > 1) return { kind: "malformed" };
  // A server that did not understand the query may leave the question out.
  if (questions === 0 && (rcode === "NOERROR" || rcode === "NXDOMAIN")) {
    return { kind: "unrelated" };
  }
  if (questions === 1 && !isAsked(reader, question)) return { kind: "unrelated" };
  const found = findRecords(reader, { records: reader.records(answers), question });
  const isEmpty = found.records.length === 0;
  const ttls = isEmpty ? [negativeTtlSeconds(reader, reader.records(authorities))] : found.ttls;
  return {
    kind: "answered",
    rcode,
    authenticData: (flags & AUTHENTIC) !== 0,
    records: found.records,
    canonicalName: found.canonicalName,
    ttlSeconds: Math.min(...ttls),
  };
}

function isAsked(reader: DnsReader, { name, type }: DnsQuestion): boolean {
  const asked = reader.name();
  const code = reader.u16();
  reader.u16(); // its class
  return code === TYPE_CODES[type] && asked === normalName(name);
}

/** The records of the asked type at the end of the chain of aliases, and their TTLs with it. */
function findRecords(
  reader: DnsReader,
  { records, question: { name, type } }: {
    records: readonly RawRecord[];
    question: DnsQuestion;
  },
): { records: RecordData[RecordType][]; ttls: number[]; canonicalName: string } {
  const chain = followAliases(reader, { records, name });
  const wanted = records.filter((record) =>
    record.type === TYPE_CODES[type] && (type === "CNAME" || record.owner === chain.canonicalName)
  );
  return {
    records: wanted.map((record) => readData(reader, { record, type })),
    ttls: [...chain.ttls, ...wanted.map(({ ttlSeconds }) => ttlSeconds)],
    canonicalName: chain.canonicalName,
  };
}

/** Follows CNAMEs within one answer (RFC 1034 section 3.6.2), as far as an honest one has them. */
function followAliases(
  reader: DnsReader,
  { records, name }: { records: readonly RawRecord[]; name: string },
): { canonicalName: string; ttls: number[] } {
  const aliases = new Map<string, RawRecord>();
  for (const record of records) {
    if (record.type === TYPE_CODES.CNAME && !aliases.has(record.owner)) {
      aliases.set(record.owner, record);
    }
  }
  const ttls: number[] = [];
  let canonicalName = normalName(name);
  for (let alias = aliases.get(canonicalName); alias !== undefined;) {
    if (ttls.length === MAX_ALIASES) break; // it has no records then, as a loop has none
    ttls.push(alias.ttlSeconds);
    canonicalName = nameOf(reader, alias);
    alias = aliases.get(canonicalName);
  }
  return { canonicalName, ttls };
}

/** RFC 2308 section 5: the lesser of the SOA's own TTL and its MINIMUM field. */
function negativeTtlSeconds(reader: DnsReader, records: readonly RawRecord[]): number {
  const soa = records.find(({ type }) => type === SOA);
  if (soa === undefined || soa.end - soa.start < 4) return 0;
  reader.position = soa.end - 4;
  return Math.min(soa.ttlSeconds, reader.u32());
}

function readData(
  reader: DnsReader,
  { record, type }: { record: RawRecord; type: RecordType },
): RecordData[RecordType] {
  reader.position = record.start;
  const data = dataOf(reader, { record, type });
  if (reader.position !== record.end) throw new DnsFormatError("data of another length");
  return data;
}

function dataOf(
  reader: DnsReader,
  { record, type }: { record: RawRecord; type: RecordType },
): RecordData[RecordType] {
  switch (type) {
    case "A":
      return reader.octets(4).join(".");
    case "AAAA":
      return ipv6Text(reader);
    case "CNAME":
    case "PTR":
      return reader.name();
    case "TXT":
      return joinedStrings(reader, record.end);
    case "MX":
      return { preference: reader.u16(), exchange: reader.name() };
    case "SRV": {
      const [priority, weight, port] = [reader.u16(), reader.u16(), reader.u16()];
      return { priority, weight, port, target: reader.name() };
    }
    case "TLSA": {
      const [usage, selector, matchingType] = [reader.u8(), reader.u8(), reader.u8()];
      const data = reader.octets(Math.max(0, record.end - reader.position));
      return { usage, selector, matchingType, data: new Uint8Array(data) };
    }
  }
}

function nameOf(reader: DnsReader, { start }: RawRecord): string {
  reader.position = start;
  return reader.name();
}

/** In the one form of RFC 5952, which is that of URLs. */
function ipv6Text(reader: DnsReader): string {
  const groups = Array.from({ length: 8 }, () => reader.u16().toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

function joinedStrings(reader: DnsReader, end: number): string {
  const strings: Uint8Array[] = [];
  while (reader.position < end) strings.push(reader.octets(reader.u8()));
  return decodeText(concatBytes(strings));
}

/** Lower case, without the final dot; the root stays `.`. */
export function normalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length > 1 && lower.endsWith(".") ? lower.slice(0, -1) : lower;
}
