import { decodeLatin1 } from "../base/bytes.ts";
import { parseIpv4, parseIpv6 } from "../base/ip.ts";
import type { Endpoint } from "./conn.ts";
import { formatIp } from "./endpoint.ts";

/**
 * What the begin of a stream says about the connection that a balancer forwards: the PROXY
 * protocol, versions 1 and 2, of haproxy.org's proxy-protocol.txt.
 */
export type ProxyHeader =
  /** More octets are needed. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly reason: string }
  | {
    readonly kind: "complete";
    /** Octets of the header; the client's own begin behind them. */
    readonly lengthBytes: number;
    /** Null when the balancer speaks for itself (a health check) or does not know. */
    readonly addresses: ProxiedAddresses | null;
  };

/** The two ends of the connection that a balancer took from a client. */
export interface ProxiedAddresses {
  readonly client: Endpoint;
  readonly server: Endpoint;
}

// Section 2.1: with its CRLF the longest line has 107 octets.
const V1_START = Uint8Array.from("PROXY ", (character) => character.charCodeAt(0));
const V1_MAX_BYTES = 107;
// Section 2.2
const V2_SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);
const V2_HEADER_BYTES = 16;
/** Addresses and additions that this program has no use for; nobody sends more. */
const V2_MAX_CONTENT_BYTES = 4096;
const LF = 10;

/** Reads the header out of all the octets received so far. */
export function parseProxyHeader(received: Uint8Array): ProxyHeader {
  if (received.length === 0) return { kind: "incomplete" };
  if (startsAlike(received, V2_SIGNATURE)) return parseV2(received);
  if (startsAlike(received, V1_START)) return parseV1(received);
  return malformed("no PROXY header");
}

/** Whether one is the begin of the other. */
function startsAlike(received: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(received.length, start.length);
  return start.subarray(0, length).every((octet, index) => octet === received[index]);
}

function parseV1(received: Uint8Array): ProxyHeader {
  const lengthBytes = received.subarray(0, V1_MAX_BYTES).indexOf(LF) + 1;
  if (lengthBytes === 0) {
    return received.length < V1_MAX_BYTES
      ? { kind: "incomplete" }
      : malformed("the line is too long");
  }
  const line = decodeLatin1(received.subarray(0, lengthBytes));
  if (!line.endsWith("\r\n")) return malformed("the line does not end with CRLF");
  const [, family, ...fields] = line.slice(0, -2).split(" ");
  // Section 2.1: what follows UNKNOWN is to be ignored.
  if (family === "UNKNOWN") return { kind: "complete", lengthBytes, addresses: null };
  if (family !== "TCP4" && family !== "TCP6") return malformed("unknown family");
  const addresses = v1Addresses(fields, family === "TCP4" ? parseIpv4 : parseIpv6);
  if (addresses === null) return malformed("bad addresses or ports");
  return { kind: "complete", lengthBytes, addresses };
}

function v1Addresses(
  fields: readonly string[],
  parse: (text: string) => Uint8Array | null,
): ProxiedAddresses | null {
  const [client = "", server = "", clientPort = "", serverPort = "", ...more] = fields;
  const octets = { client: parse(client), server: parse(server) };
  if (octets.client === null || octets.server === null || more.length > 0) return null;
  if (!isPort(clientPort) || !isPort(serverPort)) return null;
  return {
    client: { address: formatIp(octets.client), port: Number(clientPort) },
    server: { address: formatIp(octets.server), port: Number(serverPort) },
  };
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535;
}

const V2_LOCAL = 0x20;
const V2_PROXY = 0x21;
/** Length of one address, by family and protocol, of those that name a TCP connection. */
const V2_ADDRESS_BYTES: Readonly<Record<number, number>> = { 0x11: 4, 0x21: 16 };
const V2_DATAGRAM_PROTOCOL = 2;
const V2_LAST_FAMILY = 3;

function parseV2(received: Uint8Array): ProxyHeader {
  if (received.length < V2_HEADER_BYTES) return { kind: "incomplete" };
  const fields = new DataView(received.buffer, received.byteOffset, received.byteLength);
  const command = fields.getUint8(12);
  const family = fields.getUint8(13);
  const contentBytes = fields.getUint16(14);
  if (command !== V2_LOCAL && command !== V2_PROXY) return malformed("unknown version or command");
  if (contentBytes > V2_MAX_CONTENT_BYTES) return malformed("the header is too long");
  const lengthBytes = V2_HEADER_BYTES + contentBytes;
  if (received.length < lengthBytes) return { kind: "incomplete" };
  if (command === V2_LOCAL) return { kind: "complete", lengthBytes, addresses: null };
  if (family >> 4 > V2_LAST_FAMILY || (family & 15) > V2_DATAGRAM_PROTOCOL) {
    return malformed("unknown family or protocol");
  }
  // Section 2.2: without known addresses those of the connection count.
  const addressBytes = V2_ADDRESS_BYTES[family];
  if (addressBytes === undefined) return { kind: "complete", lengthBytes, addresses: null };
  if (contentBytes < 2 * addressBytes + 4) return malformed("the addresses are cut off");
  return { kind: "complete", lengthBytes, addresses: v2Addresses(fields, addressBytes) };
}

function v2Addresses(fields: DataView, addressBytes: number): ProxiedAddresses {
  const address = (offset: number): string =>
    formatIp(new Uint8Array(fields.buffer, fields.byteOffset + offset, addressBytes));
  const server = V2_HEADER_BYTES + addressBytes;
  const ports = server + addressBytes;
  return {
    client: { address: address(V2_HEADER_BYTES), port: fields.getUint16(ports) },
    server: { address: address(server), port: fields.getUint16(ports + 2) },
  };
}

function malformed(reason: string): ProxyHeader {
  return { kind: "malformed", reason };
}
