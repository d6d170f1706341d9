import { isAsciiText, parseMailbox, withAsciiDomain } from "../../mail/address.ts";
import type { ConversionTarget } from "../../mail/conversion_plan.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../../queue/store.ts";
import type { Capabilities, SessionLimits } from "../../smtp/client/capabilities.ts";
import type { ClientProtocol, RequestRecipient } from "../../smtp/client/transaction.ts";
import { mailParameters, rcptParameters } from "./parameters.ts";

/** The server at the other end of a session. */
export interface Peer {
  readonly capabilities: Capabilities;
  readonly protocol: ClientProtocol;
  /** Whether this relay has logged in. */
  readonly loggedIn: boolean;
}

/** How a message goes to a server, if it can. */
export type Fit =
  | {
    readonly kind: "fits";
    readonly reversePath: string;
    /** Without SIZE, which depends on what becomes of the octets. */
    readonly mailParameters: readonly string[];
    /** The first of those that the server can take, as many as it takes at once. */
    readonly recipients: readonly RequestRecipient[];
    /** Those that this server can not take; another host of the same destination may. */
    readonly misfits: Misfits | null;
    /** Whether the server takes over the duty to notify the sender (RFC 3461 section 5.2.1). */
    readonly notifies: boolean;
    /** What the octets must become first; null when they go as they are. */
    readonly conversion: ConversionTarget | null;
    /** Whether addresses in the header section must be ASCII, which nobody has looked at yet. */
    readonly needsAsciiAddresses: boolean;
  }
  | Unfit;

/** Recipients that a server can not take, and why with a 5xx code. */
export interface Misfits {
  readonly recipients: readonly RecipientRecord[];
  readonly reply: Reply;
}

/** The server can not carry the message; `reply` says why with a 5xx code. */
export interface Unfit {
  readonly kind: "unsuitable";
  readonly reply: Reply;
  /** Whether another host of the same destination may. */
  readonly elsewhere: boolean;
}

/** What a message meets. */
export interface FitOptions {
  readonly recipients: readonly RecipientRecord[];
  readonly peer: Peer;
  /** The most recipients that the server was seen to take in a transaction; infinite if unknown. */
  readonly rcptMax: number;
  /** Whether octets above 127 are converted for a server that does not take them. */
  readonly converts: boolean;
  readonly nowMs: number;
}

/** Holds the needs of a message against what a server offers. */
export function fit(message: MessageRecord, options: FitOptions): Fit {
  const obstacle = obstacleTo(message, options);
  if (obstacle !== null) return obstacle;
  const { recipients, peer, nowMs, converts, rcptMax } = options;
  const { capabilities } = peer;
  const envelope = envelopeFor(message, { recipients, smtpUtf8: capabilities.smtpUtf8 });
  if (envelope.kind === "unsuitable") return envelope;
  const { reversePath, suited, misfits, isUtf8 } = envelope;
  const form = formFor(message, { capabilities, converts });
  return {
    kind: "fits",
    reversePath,
    mailParameters: mailParameters(message, { peer, body: form.body, isUtf8, nowMs }),
    recipients: withinLimits(suited, { ...capabilities.limits, learnedMax: rcptMax })
      .map(({ recipient, forwardPath }) => ({
        forwardPath,
        parameters: rcptParameters(recipient, capabilities),
      })),
    misfits,
    notifies: capabilities.dsn,
    conversion: form.conversion,
    needsAsciiAddresses: message.smtpUtf8 && !capabilities.smtpUtf8 && message.facts.eightBit,
  };
}

/** A recipient and its address as the server takes it. */
interface Addressed {
  readonly recipient: RecipientRecord;
  readonly forwardPath: string;
}

/** The addresses as a server takes them (RFC 6531 sections 3.2 and 3.5). */
type FittedEnvelope =
  | {
    readonly kind: "envelope";
    readonly reversePath: string;
    /** At least one. */
    readonly suited: readonly Addressed[];
    readonly misfits: Misfits | null;
    readonly isUtf8: boolean;
  }
  | Unfit;

function envelopeFor(
  message: MessageRecord,
  { recipients, smtpUtf8 }: { recipients: readonly RecipientRecord[]; smtpUtf8: boolean },
): FittedEnvelope {
  const reversePath = smtpUtf8 ? message.reversePath : asciiPath(message.reversePath);
  if (!smtpUtf8 && !isAsciiText(reversePath)) return unfit(NO_UTF8);
  const suited: Addressed[] = [];
  const misfits: RecipientRecord[] = [];
  let isUtf8 = message.smtpUtf8 || !isAsciiText(reversePath);
  for (const recipient of recipients) {
    const forwardPath = smtpUtf8 ? recipient.forwardPath : asciiPath(recipient.forwardPath);
    const isAscii = isAsciiText(forwardPath);
    if (!smtpUtf8 && !isAscii) misfits.push(recipient);
    else suited.push({ recipient, forwardPath });
    isUtf8 ||= !isAscii;
  }
  if (suited.length === 0) return unfit(NO_UTF8);
  return {
    kind: "envelope",
    reversePath,
    suited,
    misfits: misfits.length === 0 ? null : { recipients: misfits, reply: NO_UTF8 },
    isUtf8,
  };
}

const NO_UTF8 = reply(553, "5.6.7", "Next hop does not accept non-ASCII addresses");

/** RFC 6531 section 3.2: a domain in U-labels is the same in A-labels. */
function asciiPath(path: string): string {
  if (isAsciiText(path)) return path;
  const parsed = parseMailbox(path);
  return parsed.kind === "ok" ? withAsciiDomain(parsed.mailbox) : path;
}

/** The first recipients, as many as one transaction may have (RFC 9422 sections 4.2 and 4.3). */
function withinLimits(
  recipients: readonly Addressed[],
  { rcptMax, rcptDomainMax, learnedMax }: SessionLimits & { readonly learnedMax: number },
): readonly Addressed[] {
  const max = Math.min(rcptMax, learnedMax);
  if (recipients.length <= Math.min(max, rcptDomainMax)) return recipients;
  const domains = new Set<string>();
  let count = 0;
  for (const { recipient: { domain } } of recipients) {
    domains.add(domain);
    if (count === max || domains.size > rcptDomainMax) break;
    count++;
  }
  return recipients.slice(0, count);
}

interface Form {
  readonly body: "8BITMIME" | "BINARYMIME" | null;
  readonly conversion: ConversionTarget | null;
}

/** In which form the octets go (RFC 6152 section 3, RFC 3030 section 3). */
function formFor(
  { body, facts }: MessageRecord,
  { capabilities, converts }: { capabilities: Capabilities; converts: boolean },
): Form {
  const { eightBitMime, binaryMime } = capabilities;
  const isBinary = body === "BINARYMIME" || !facts.lineOriented;
  if (isBinary && binaryMime) return { body: "BINARYMIME", conversion: null };
  const isEightBit = facts.eightBit || body === "8BITMIME";
  if (isBinary) {
    // Lines are what DATA is made of, so this is not a matter of choice.
    return { body: eightBitMime ? "8BITMIME" : null, conversion: eightBitMime ? "8bit" : "7bit" };
  }
  if (eightBitMime) return { body: isEightBit ? "8BITMIME" : null, conversion: null };
  return { body: null, conversion: facts.eightBit && converts ? "7bit" : null };
}

function obstacleTo(
  message: MessageRecord,
  { peer: { capabilities, protocol }, nowMs }: FitOptions,
): Unfit | null {
  const { extras = {}, facts: { sizeBytes } } = message;
  const tooLarge = tooLargeFor(capabilities, sizeBytes);
  if (tooLarge !== null) return tooLarge;
  // RFC 8689 section 4.2.1; a server of mailboxes is the end of the way
  const needsTls = extras.requireTls === true && message.reversePath !== "" && protocol === "smtp";
  if (needsTls && !capabilities.keywords.has("REQUIRETLS")) {
    const text = "Next hop does not guarantee TLS after it (REQUIRETLS)";
    return unfit(reply(550, "5.7.30", text));
  }
  return deliverByObstacle(message, { capabilities, protocol, nowMs });
}

/** RFC 1870 section 6.1. */
export function tooLargeFor({ maxSizeBytes }: Capabilities, sizeBytes: number): Unfit | null {
  if (maxSizeBytes === null || sizeBytes <= maxSizeBytes) return null;
  const text = `Message of ${sizeBytes} octets exceeds the next hop's limit of ${maxSizeBytes}`;
  return unfit(reply(552, "5.3.4", text));
}

/** RFC 2852 section 4.1.4: with mode R, late or unwatched is as bad as not at all. */
function deliverByObstacle(
  { extras }: MessageRecord,
  { capabilities: { keywords }, protocol, nowMs }: {
    capabilities: Capabilities;
    protocol: ClientProtocol;
    nowMs: number;
  },
): Unfit | null {
  const deliverBy = extras?.deliverBy;
  if (deliverBy === undefined || deliverBy.mode !== "R") return null;
  const leftSeconds = (deliverBy.deadlineMs - nowMs) / 1000;
  if (leftSeconds <= 0) {
    const over = reply(554, "5.4.7", "The delivery deadline has passed");
    return { ...unfit(over), elsewhere: false };
  }
  if (protocol === "lmtp") return null;
  const least = keywords.get("DELIVERBY");
  if (least === undefined) {
    return unfit(reply(554, "5.3.3", "Next hop does not guarantee a delivery time (DELIVERBY)"));
  }
  if (leftSeconds >= (Number(least) || 0)) return null;
  return unfit(reply(554, "5.4.7", `Next hop needs ${least} seconds or more to deliver`));
}

function unfit(reply: Reply): Unfit {
  return { kind: "unsuitable", reply, elsewhere: true };
}
