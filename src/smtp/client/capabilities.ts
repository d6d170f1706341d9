import type { Reply } from "../../mail/reply.ts";

/** What a server offers, read from its reply to EHLO or LHLO. */
export interface Capabilities {
  /** Extension keywords in upper case with their parameters as sent. */
  readonly keywords: ReadonlyMap<string, string>;
  /** Names of the SASL mechanisms offered, in upper case (RFC 4954 section 3). */
  readonly auth: readonly string[];
  /** RFC 3207. */
  readonly startTls: boolean;
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 6152. */
  readonly eightBitMime: boolean;
  /** BDAT (RFC 3030). */
  readonly chunking: boolean;
  /** BINARYMIME, which needs BDAT (RFC 3030 section 3). */
  readonly binaryMime: boolean;
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 1870: whether MAIL may carry SIZE. */
  readonly size: boolean;
  /** The largest message it takes in octets; null when it names none. */
  readonly maxSizeBytes: number | null;
  readonly limits: SessionLimits;
}

/** What a server takes of one session at most (RFC 9422); infinite where it does not say. */
export interface SessionLimits {
  /** Transactions in a session. */
  readonly mailMax: number;
  /** Recipients in a transaction. */
  readonly rcptMax: number;
  /** Recipient domains in a transaction. */
  readonly rcptDomainMax: number;
}

const NONE: ReadonlySet<string> = new Set();

/** What a server that knows only HELO offers. */
export const NO_CAPABILITIES: Capabilities = makeCapabilities(new Map());

/**
 * Reads a 250 reply to EHLO (RFC 5321 4.1.1.1): the first line greets, each later one is a
 * keyword with parameters. `KEYWORD=` is read as `KEYWORD `, since `AUTH=LOGIN` is common.
 * Keywords in `ignored`, in upper case, are passed over.
 */
export function parseCapabilities(
  { lines }: Reply,
  ignored: ReadonlySet<string> = NONE,
): Capabilities {
  const keywords = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ =](.*))?$/.exec(line.trim());
    if (match === null) continue;
    const keyword = (match[1] ?? "").toUpperCase();
    if (ignored.has(keyword)) continue;
    const earlier = keywords.get(keyword);
    const parameters = (match[2] ?? "").trim();
    keywords.set(keyword, earlier ? `${earlier} ${parameters}` : parameters);
  }
  return makeCapabilities(keywords);
}

function makeCapabilities(keywords: ReadonlyMap<string, string>): Capabilities {
  const limit = (name: string): number => parseLimit(keywords.get("LIMITS") ?? "", name);
  return {
    keywords,
    auth: (keywords.get("AUTH") ?? "").toUpperCase().split(" ").filter((name) => name !== ""),
    startTls: keywords.has("STARTTLS"),
    pipelining: keywords.has("PIPELINING"),
    eightBitMime: keywords.has("8BITMIME"),
    chunking: keywords.has("CHUNKING"),
    binaryMime: keywords.has("BINARYMIME") && keywords.has("CHUNKING"),
    smtpUtf8: keywords.has("SMTPUTF8"),
    dsn: keywords.has("DSN"),
    size: keywords.has("SIZE"),
    maxSizeBytes: parseMaxSize(keywords.get("SIZE")),
    limits: {
      mailMax: limit("MAILMAX"),
      rcptMax: limit("RCPTMAX"),
      rcptDomainMax: limit("RCPTDOMAINMAX"),
    },
  };
}

/** RFC 1870 section 4: digits, where 0 or nothing means that no fixed limit is in force. */
function parseMaxSize(parameter: string | undefined): number | null {
  if (parameter === undefined || !/^\d{1,20}$/.test(parameter)) return null;
  const sizeBytes = Number(parameter);
  return sizeBytes === 0 ? null : sizeBytes;
}

/** RFC 9422 section 3: `NAME=number` among others; zero is no limit that mail could keep. */
function parseLimit(parameters: string, name: string): number {
  const found = new RegExp(`(?:^| )${name}=(\\d{1,10})(?: |$)`, "i").exec(parameters);
  return Number(found?.[1] ?? 0) || Infinity;
}
