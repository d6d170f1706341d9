import { parseIp } from "../../base/ip.ts";

/**
 * What counts as one client: an IPv4 address, or the /64 of an IPv6 address, because whoever has
 * one address of it has them all (RFC 6177).
 */
export function clientKey(address: string): string {
  if (!address.includes(":")) return address;
  const octets = parseIp(address);
  if (octets === null) return address;
  if (octets.length === 4) return octets.join(".");
  return `${octets.subarray(0, 8).toHex()}/64`;
}
