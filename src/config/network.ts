import { parseIp } from "../base/ip.ts";

/**
 * Whether `text` is a range of IP addresses in CIDR notation (`10.0.0.0/8`, `2001:db8::/32`) or a
 * single address. An address with bits set behind the prefix is none: it is mostly a typo.
 */
export function isNetwork(text: string): boolean {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseIp(addressText);
  if (address === null || rest.length > 0) return false;
  if (prefixText === undefined) return true;
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefixText)) return false;
  const prefixLength = Number(prefixText);
  return prefixLength <= address.length * 8 &&
    address.every((octet, index) => (octet & hostMask(prefixLength - index * 8)) === 0);
}

/** The bits of one octet that are free when its first `fixedBits` are fixed. */
function hostMask(fixedBits: number): number {
  return 0xff >> Math.min(Math.max(fixedBits, 0), 8);
}
