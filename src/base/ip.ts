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
