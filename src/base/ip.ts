/**
 * Reads an IPv4 address in four decimal parts. Leading zeros are refused, because some programs
 * take them for octal.
 *
 * @returns 4 octets in network order, or null.
 */
export function parseIpv4(text: string): Uint8Array<ArrayBuffer> | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const octets = new Uint8Array(4);
  for (const [index, part] of parts.entries()) {
    const value = Number(part);
    if (String(value) !== part || value > 255 || value < 0) return null;
    octets[index] = value;
  }
  return octets;
}

/**
 * Reads an IPv6 address in the forms of RFC 4291 2.2, without a zone.
 *
 * @returns 16 octets in network order, or null.
 */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupOctets(halves[0] ?? "", halves.length === 1);
  const tail = groupOctets(halves[1] ?? "", true);
  if (head === null || tail === null) return null;
  const given = head.length + tail.length;
  // "::" stands for at least one group of zeros
  if (halves.length === 1 ? given !== 16 : given > 14) return null;
  const octets = new Uint8Array(16);
  octets.set(head);
  octets.set(tail, 16 - tail.length);
  return octets;
}

/**
 * Reads an IP address of either family as the runtime writes it; a zone (`%eth0`) is ignored and
 * an IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) counts as the IPv4 address it carries.
 *
 * @returns 4 or 16 octets, or null.
 */
export function parseIp(text: string): Uint8Array<ArrayBuffer> | null {
  if (!text.includes(":")) return parseIpv4(text);
  const zone = text.indexOf("%");
  const octets = parseIpv6(zone < 0 ? text : text.slice(0, zone));
  return octets !== null && isMapped(octets) ? octets.slice(12) : octets;
}

function groupOctets(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  const octets: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (mayEndInIpv4 && index === groups.length - 1 && group.includes(".")) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === null) return null;
      octets.push(...ipv4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = parseInt(group, 16);
      octets.push(value >> 8, value & 0xff);
    }
  }
  return octets;
}

function isMapped(octets: Uint8Array): boolean {
  return octets[10] === 0xff && octets[11] === 0xff &&
    octets.subarray(0, 10).every((octet) => octet === 0);
}

/** The octets of an IPv6 address that one customer has all of (RFC 6177). */
const IPV6_SITE_OCTETS = 8;
/** The octets that a network around a client has in common: /48 and /24. */
const IPV6_NETWORK_OCTETS = 6;
const IPV4_NETWORK_OCTETS = 3;

/** The address, or for IPv6 the /64 it is in, which one client has all of. */
export function siteOf(address: string): string {
  return prefixOf(address, { ipv4Octets: 4, ipv6Octets: IPV6_SITE_OCTETS });
}

/** The network around a client: the /24 of an IPv4 address, the /48 of an IPv6 address. */
export function networkOf(address: string): string {
  return prefixOf(address, { ipv4Octets: IPV4_NETWORK_OCTETS, ipv6Octets: IPV6_NETWORK_OCTETS });
}

function prefixOf(
  address: string,
  { ipv4Octets, ipv6Octets }: { ipv4Octets: number; ipv6Octets: number },
): string {
  const octets = parseIp(address);
  if (octets === null) return address;
  return octets.length === 16
    ? octets.subarray(0, ipv6Octets).toHex()
    : octets.subarray(0, ipv4Octets).join(".");
}

/** Blocks of addresses that are not of the public internet (RFC 6890), as octets and bits. */
const OTHER_BLOCKS: readonly (readonly [octets: readonly number[], bits: number])[] = [
  ...[[[0], 8], [[10], 8], [[100, 64], 10], [[127], 8], [[169, 254], 16], [[172, 16], 12]] as const,
  ...[[[192, 0, 0], 24], [[192, 168], 16], [[198, 18], 15], [[224], 4], [[240], 4]] as const,
];
const OTHER_BLOCKS_IPV6: typeof OTHER_BLOCKS = [
  // Everything below ::/8, with what stands for IPv4 and with NAT64 within a site.
  ...[[[0], 8], [[0, 0x64, 0xff, 0x9b, 0, 1], 48], [[0x01], 8], [[0xfc], 7], [
    [0xfe, 0x80],
    10,
  ]] as const,
  // Site-local, multicast, Teredo and ORCHID.
  ...[[[0xfe, 0xc0], 10], [[0xff], 8], [[0x20, 0x01, 0, 0], 32], [
    [0x20, 0x01, 0, 0x10],
    28,
  ]] as const,
];

/**
 * Whether an address is one of the public internet: not this machine, its network, or one that only
 * some network knows. IPv4 addresses inside IPv6 ones (6to4, NAT64) are looked at, too.
 */
export function isPublicAddress(address: string): boolean {
  const octets = parseIp(address);
  if (octets === null) return false;
  if (octets.length === 4) return !OTHER_BLOCKS.some((block) => isInBlock(octets, block));
  const inner = embeddedIpv4(octets);
  if (inner !== null) return !OTHER_BLOCKS.some((block) => isInBlock(inner, block));
  return !OTHER_BLOCKS_IPV6.some((block) => isInBlock(octets, block));
}

/** The IPv4 address that 6to4 (2002::/16, RFC 3056) or NAT64 (64:ff9b::/96, RFC 6052) leads to. */
function embeddedIpv4(octets: Uint8Array): Uint8Array | null {
  if (isInBlock(octets, [[0x20, 0x02], 16])) return octets.subarray(2, 6);
  const isNat64 = isInBlock(octets, [[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 96]);
  return isNat64 ? octets.subarray(12) : null;
}

function isInBlock(
  octets: Uint8Array,
  [prefix, bits]: readonly [octets: readonly number[], bits: number],
): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : 0xff << (8 - (bits - bit)) & 0xff;
    if (((octets[bit / 8] ?? 0) & mask) !== ((prefix[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
}
