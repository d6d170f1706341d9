import { z } from "zod";
import { parseIp } from "../base/ip.ts";
import { isNetwork } from "./network.ts";
import { formatDuration, parseDuration, parseSize } from "./units.ts";

/**
 * The kinds of value that a config file holds. The error text of each says what is expected, so
 * that a problem reads `expected <text>, got <value>`; `problems.ts` relies on it.
 */

/** A whole number in a range. */
export function wholeNumber({ min, max }: { min: number; max: number }): z.ZodInt {
  const error = max === Number.MAX_SAFE_INTEGER
    ? `a whole number of at least ${min}`
    : `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** A whole number of at least one, such as a limit. */
export function count(): z.ZodInt {
  return wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER });
}

/** A TCP or UDP port that something can connect to. */
export function port(): z.ZodInt {
  return wholeNumber({ min: 1, max: 65535 });
}

/** A number in a range, decimals included. */
export function decimal({ min, max }: { min: number; max: number }): z.ZodNumber {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** True or false. */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: "true or false" });
}

/** One of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodEnum<{ [Word in Words[number]]: Word }> {
  return z.enum(words, { error: `one of ${words.map(quoted).join(", ")}` });
}

/** Text that `isValid` accepts; `expected` says what that is. */
export function text(
  { expected, isValid = () => true }: {
    expected: string;
    isValid?: (value: string) => boolean;
  },
): z.ZodString {
  return z.string({ error: expected }).refine(isValid, { error: expected });
}

/** A duration: `90s`, `1h30m`, `4d`, or a number of seconds. `minMs` is the least allowed. */
export function duration({ minMs = 0 }: { minMs?: number } = {}): z.ZodType<string | number> {
  const least = minMs > 1 ? `, at least ${formatDuration(minMs)}` : minMs > 0 ? ", not zero" : "";
  const error = `a duration such as "30s", "5m" or "1h30m"${least}`;
  const isValid = (value: string | number): boolean => {
    const durationMs = parseDuration(String(value));
    return durationMs !== null && durationMs >= minMs;
  };
  return z.union([z.string(), z.number().min(0)], { error }).refine(isValid, { error });
}

/** A size: `25MiB`, `64KiB`, or a number of octets. `minBytes` is the least allowed. */
export function size({ minBytes = 0 }: { minBytes?: number } = {}): z.ZodType<string | number> {
  const error = `a size such as "64KiB" or "25MiB"${
    minBytes > 0 ? `, at least ${minBytes} octets` : ""
  }`;
  const isValid = (value: string | number): boolean => {
    const sizeBytes = parseSize(String(value));
    return sizeBytes !== null && sizeBytes >= minBytes;
  };
  return z.union([z.string(), z.int().min(0)], { error }).refine(isValid, { error });
}

/** A list; `expected` names its elements where it must not be empty. */
export function listOf<Element extends z.ZodType>(
  element: Element,
  { atLeastOne }: { atLeastOne?: string } = {},
): z.ZodArray<Element> {
  if (atLeastOne === undefined) return z.array(element, { error: "a list" });
  const error = `a list of at least one ${atLeastOne}`;
  return z.array(element, { error }).min(1, { error });
}

/** A table with fixed keys; any other key is a problem. */
export function table<Shape extends z.ZodRawShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: ({ code }) => code === "unrecognized_keys" ? knownKeys(Object.keys(shape)) : "a table",
  });
}

/**
 * What a problem with an unknown key says; `keysNamedIn` reads it back, since zod hands on
 * nothing of the table but this text.
 */
function knownKeys(keys: readonly string[]): string {
  return `one of ${keys.join(", ")}`;
}

/** The keys in a text of `knownKeys`. */
export function keysNamedIn(message: string): string[] {
  return message.replace(/^one of /, "").split(", ");
}

/** A host name as RFC 1123 section 2.1 allows it, without a final dot. */
export function isHostname(value: string): boolean {
  const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
  return value.length <= 253 && parseIp(value) === null &&
    value.split(".").every((part) => label.test(part));
}

/** A host name. */
export function hostname(): z.ZodString {
  return text({ expected: `a host name such as "relay.example.net"`, isValid: isHostname });
}

/** An IP address without brackets. */
export function ipAddress(): z.ZodString {
  return text({
    expected: `an IP address such as "127.0.0.1" or "::1"`,
    isValid: (value) => parseIp(value) !== null,
  });
}

/** A range of IP addresses. */
export function network(): z.ZodString {
  return text({
    expected:
      `an IP network such as "10.0.0.0/8" or "2001:db8::/32", with no bits set after the prefix`,
    isValid: isNetwork,
  });
}

/** A domain, `*.domain` for its subdomains, or `*`. */
export function domainPattern(): z.ZodString {
  return text({
    expected: `a domain such as "example.net", "*.example.net" for its subdomains, or "*"`,
    isValid: (value) => value === "*" || isHostname(value.replace(/^\*\./, "")),
  });
}

/** A mailbox; only its form is looked at here. */
export function mailbox(): z.ZodString {
  return text({
    expected: `a mail address such as "postmaster@example.net"`,
    isValid: (value) => {
      const at = value.lastIndexOf("@");
      return at > 0 && /^[^\s<>]+$/.test(value.slice(0, at)) && isHostname(value.slice(at + 1));
    },
  });
}

/** `host:port`, `address:port` or `[IPv6 address]:port`, with its port read. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads a host with an optional port; null when `value` is none. */
export function parseHostPort(
  value: string,
  { defaultPort }: { defaultPort: number },
): HostPort | null {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([^:\[\]]+))(?::(\d{1,5}))?$/i.exec(value);
  const host = parts?.[1] ?? parts?.[2];
  if (host === undefined) return null;
  const portNumber = parts?.[3] === undefined ? defaultPort : Number(parts[3]);
  const isHost = parts?.[1] === undefined
    ? isHostname(host) || parseIp(host) !== null
    : parseIp(host) !== null;
  return isHost && portNumber > 0 && portNumber <= 65535 ? { host, port: portNumber } : null;
}

function quoted(word: string): string {
  return JSON.stringify(word);
}
