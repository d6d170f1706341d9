import type { HostAddress } from "../../net/resolver.ts";

/** Which kinds of address are used, and which first. */
export const ADDRESS_ORDERS = ["ipv4_first", "ipv6_first", "ipv4_only", "ipv6_only"] as const;
export type AddressOrder = typeof ADDRESS_ORDERS[number];

/** What decides on the addresses of hosts. */
export interface AddressChoice {
  /** Default `ipv4_first`. */
  readonly addressOrder?: AddressOrder;
  /** As in `SmtpTransportOptions`. */
  readonly localAddresses?: readonly string[];
  readonly proxy?: unknown;
}

/** The kind of an IP address. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

/** The usable addresses of one host; within a kind they stay in order (RFC 5321 5.1). */
export function orderAddresses(
  addresses: readonly HostAddress[],
  { addressOrder: order = "ipv4_first", localAddresses, proxy }: AddressChoice,
): readonly string[] {
  // Behind a proxy they are where that is reached from, not the hosts.
  const sources = proxy === undefined ? localAddresses?.map(familyOf) : undefined;
  const ofFamily = (family: 4 | 6): string[] =>
    sources?.includes(family) === false
      ? []
      : addresses.filter((address) => address.family === family).map(({ address }) => address);
  switch (order) {
    case "ipv4_first":
      return [...ofFamily(4), ...ofFamily(6)];
    case "ipv6_first":
      return [...ofFamily(6), ...ofFamily(4)];
    case "ipv4_only":
      return ofFamily(4);
    case "ipv6_only":
      return ofFamily(6);
  }
}
