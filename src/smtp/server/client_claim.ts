import { parseIp } from "../../base/ip.ts";
import { decodeXtext } from "../../mail/xtext.ts";
import { asciiHelo, type Greeting } from "./state.ts";

/** What a proxy says of the client it speaks for; what is missing was not said. */
export interface ClientClaim {
  /** IP address without brackets. */
  readonly address?: string;
  readonly port?: number;
  /** The user who authenticated to the proxy; null for nobody. */
  readonly login?: string | null;
  /** How the client introduced itself to the proxy. */
  readonly greeting?: Greeting;
}

/** What is known before a proxy says anything. */
export const NO_CLAIM: ClientClaim = {};

/** Attributes by their names in upper case; null where the proxy does not know. */
export type Attributes = ReadonlyMap<string, string | null>;

/** What a command with attributes says. */
export type ParsedAttributes =
  | { readonly kind: "ok"; readonly attributes: Attributes }
  | { readonly kind: "error"; readonly reason: string };

type Check = (value: string) => boolean;

const isText: Check = (value) => value.length <= 255;
const isAddress: Check = (value) => addressOf(value) !== null;
const isPort: Check = (value) => /^\d{1,5}$/.test(value) && Number(value) <= 65_535;
const isProtocol: Check = (value) => /^e?smtp$/i.test(value);

/** How the values of each attribute look (Postfix, XCLIENT_README and XFORWARD_README). */
export const ATTRIBUTE_CHECKS = {
  NAME: isText,
  ADDR: isAddress,
  PORT: isPort,
  PROTO: isProtocol,
  HELO: isText,
  LOGIN: isText,
  DESTADDR: isAddress,
  DESTPORT: isPort,
  IDENT: isText,
  SOURCE: (value: string) => /^(?:local|remote)$/i.test(value),
} as const satisfies Record<string, Check>;

export type AttributeName = keyof typeof ATTRIBUTE_CHECKS;

/** Reads `NAME=value` words, the values in xtext (RFC 3461 section 4). */
export function parseAttributes(
  text: string,
  allowed: readonly AttributeName[],
): ParsedAttributes {
  const attributes = new Map<string, string | null>();
  for (const word of text.split(" ").filter((part) => part !== "")) {
    const equals = word.indexOf("=");
    const name = allowed.find((known) => known === word.slice(0, equals).toUpperCase());
    if (name === undefined) return { kind: "error", reason: "Attribute not recognized" };
    const value = decodeXtext(word.slice(equals + 1));
    const isUnknown = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i.test(value);
    // deno-lint-ignore no-control-regex
    if (!isUnknown && (/[\x00-\x20\x7f]|^$/.test(value) || !ATTRIBUTE_CHECKS[name](value))) {
      return { kind: "error", reason: `Bad value of ${name}` };
    }
    attributes.set(name, isUnknown ? null : value);
  }
  if (attributes.size === 0) return { kind: "error", reason: "Expected attributes" };
  return { kind: "ok", attributes };
}

/**
 * Adds to an earlier claim, because one command may not have room for everything. Another address
 * is another client, of whom nothing is known yet.
 */
export function claimOf(attributes: Attributes, earlier: ClientClaim): ClientClaim {
  const base = attributes.has("ADDR") ? NO_CLAIM : earlier;
  const address = addressOf(attributes.get("ADDR") ?? "");
  const port = attributes.get("PORT");
  return {
    ...base,
    ...(address === null ? {} : { address }),
    ...(port ? { port: Number(port) } : {}),
    ...(attributes.has("LOGIN") ? { login: attributes.get("LOGIN") ?? null } : {}),
    ...greetingOf(attributes, base),
  };
}

function greetingOf(attributes: Attributes, { greeting }: ClientClaim): { greeting?: Greeting } {
  const helo = attributes.get("HELO") ?? greeting?.helo;
  if (helo === undefined) return {};
  const protocol = attributes.get("PROTO")?.toUpperCase();
  const esmtp = protocol === undefined ? greeting?.esmtp ?? true : protocol === "ESMTP";
  return { greeting: { helo: asciiHelo(helo), esmtp } };
}

/** `192.0.2.1` or `IPV6:2001:db8::1`, without the prefix. */
function addressOf(text: string): string | null {
  const bare = text.replace(/^IPV6:/i, "");
  return parseIp(bare) === null ? null : bare;
}
