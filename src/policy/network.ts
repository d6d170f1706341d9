import { parseIp } from "../base/ip.ts";

/** A block of IP addresses. */
export interface Network {
  /** 4 or 16 octets; the bits after the prefix are zero. */
  readonly octets: Uint8Array;
  /** Length of the prefix in bits. */
  readonly prefixBits: number;
}

/** What `parseNetwork` found. */
export type NetworkResult =
  | { readonly kind: "ok"; readonly network: Network }
  | { readonly kind: "error"; readonly reason: string };

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address, brackets around it allowed. */
export function parseNetwork(text: string): NetworkResult {
  const slash = text.indexOf("/");
  const address = (slash < 0 ? text : text.slice(0, slash)).replace(/^\[(.*)\]$/, "$1");
  const octets = parseIp(address);
  if (octets === null) return failure(`expected an IP address, got "${address}"`);
  const widthBits = octets.length * 8;
  const prefixBits = slash < 0 ? widthBits : prefixOf(text.slice(slash + 1), widthBits);
  if (prefixBits === null) return failure(`expected a prefix of 0 to ${widthBits} bits`);
  if (!hasZeroTail(octets, prefixBits)) {
    return failure(`the address has bits set after the first ${prefixBits}`);
  }
  return { kind: "ok", network: { octets, prefixBits } };
}

/** Whether the address (from `parseIp`) is in one of the networks. */
export function inNetworks(octets: Uint8Array, networks: readonly Network[]): boolean {
  return networks.some((network) => contains(network, octets));
}

/** The same for an address as text; what is no address is in none. */
export function isInNetworks(address: string, networks: readonly Network[]): boolean {
  if (networks.length === 0) return false;
  const octets = parseIp(address);
  return octets !== null && inNetworks(octets, networks);
}

function contains({ octets, prefixBits }: Network, address: Uint8Array): boolean {
  if (address.length !== octets.length) return false;
  const whole = prefixBits >> 3;
  for (let index = 0; index < whole; index++) {
    if (address[index] !== octets[index]) return false;
  }
  const rest = prefixBits & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((address[whole] ?? 0) & mask) === octets[whole];
}

function prefixOf(text: string, widthBits: number): number | null {
  if (!/^\d{1,3}$/.test(text)) return null;
  const bits = Number(text);
  return bits <= widthBits ? bits : null;
}

function hasZeroTail(octets: Uint8Array, prefixBits: number): boolean {
  return octets.every((octet, index) => {
    const kept = Math.min(8, Math.max(0, prefixBits - index * 8));
    return (octet & (0xff >> kept)) === 0;
  });
}

function failure(reason: string): NetworkResult {
  return { kind: "error", reason };
}
