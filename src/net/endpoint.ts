import { parseIp } from "../base/ip.ts";
import type { Endpoint } from "./conn.ts";

/** Writes 4 or 16 octets as the runtime writes addresses (RFC 5952), mapped IPv4 as IPv4. */
export function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  const groups: string[] = [];
  for (let index = 0; index < octets.length; index += 2) {
    groups.push((((octets[index] ?? 0) << 8) | (octets[index + 1] ?? 0)).toString(16));
  }
  const mapped = parseIp(groups.join(":"));
  if (mapped?.length === 4) return mapped.join(".");
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The endpoint of an address as the runtime writes it. */
export function endpointOf(address: Deno.Addr): Endpoint {
  switch (address.transport) {
    case "tcp":
    case "udp":
      return { address: plainAddress(address.hostname), port: address.port };
    case "unix":
    case "unixpacket":
      return { address: address.path ?? "", port: 0 };
    default:
      return { address: "", port: 0 };
  }
}

/**
 * Writes an IPv4 client of a dual-stack socket as IPv4 (RFC 4291 section 2.5.5.2), so that one
 * client has one address whichever socket accepted it.
 */
export function plainAddress(address: string): string {
  return MAPPED_IPV4.exec(address)?.[1] ?? address;
}

/** `192.0.2.1:25`, `[2001:db8::1]:25`, or the path of a Unix socket. */
export function formatEndpoint({ address, port }: Endpoint): string {
  if (address === "") return "unnamed socket";
  if (address.includes("/")) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Reads `192.0.2.1:25`, `[2001:db8::1]:25`, or either without its port; null when `text` is none
 * of them.
 */
export function parseEndpoint(
  text: string,
  { defaultPort }: { defaultPort: number },
): Endpoint | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/i.exec(text) ??
    /^([0-9a-f:]*:[0-9a-f:.]*)$/i.exec(text);
  const address = match?.[1] ?? match?.[2];
  if (address === undefined) return null;
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  return port > 65535 ? null : { address, port };
}
