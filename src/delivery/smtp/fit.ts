import type { ConversionTarget } from "../../mail/conversion_plan.ts";
import { type Reply, reply } from "../../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../../queue/store.ts";
import type { Capabilities } from "../../smtp/client/capabilities.ts";
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
    /** Without SIZE, which depends on what becomes of the octets. */
    readonly mailParameters: readonly string[];
    readonly recipients: readonly RequestRecipient[];
    /** Whether the server takes over the duty to notify the sender (RFC 3461 section 5.2.1). */
    readonly notifies: boolean;
    /** What the octets must become first; null when they go as they are. */
    readonly conversion: ConversionTarget | null;
    /** Whether the header section must be ASCII, which nobody has looked at yet. */
    readonly needsAsciiHeader: boolean;
  }
  | Unfit;

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
  /** Whether octets above 127 are converted for a server that does not take them. */
  readonly converts: boolean;
  readonly nowMs: number;
}

/** Holds the needs of a message against what a server offers. */
export function fit(message: MessageRecord, options: FitOptions): Fit {
  const obstacle = obstacleTo(message, options);
  if (obstacle !== null) return obstacle;
  const { recipients, peer, nowMs, converts } = options;
  const { capabilities } = peer;
  const form = formFor(message, { capabilities, converts });
  return {
    kind: "fits",
    mailParameters: mailParameters(message, { peer, body: form.body, nowMs }),
    recipients: recipients.map((recipient) => ({
      forwardPath: recipient.forwardPath,
      parameters: rcptParameters(recipient, capabilities),
    })),
    notifies: capabilities.dsn,
    conversion: form.conversion,
    needsAsciiHeader: message.smtpUtf8 && !capabilities.smtpUtf8 && message.facts.eightBit,
  };
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
  { recipients, peer: { capabilities, protocol }, nowMs }: FitOptions,
): Unfit | null {
  const { extras = {}, facts: { sizeBytes } } = message;
  const tooLarge = tooLargeFor(capabilities, sizeBytes);
  if (tooLarge !== null) return tooLarge;
  if (!capabilities.smtpUtf8 && needsUtf8Paths(message, recipients)) { // RFC 6531 section 3.5
    return unfit(reply(553, "5.6.7", "Next hop does not take addresses outside ASCII"));
  }
  // RFC 8689 section 4.2.1; a server of mailboxes is the end of the way
  const needsTls = extras.requireTls === true && message.reversePath !== "" && protocol === "smtp";
  if (needsTls && !capabilities.keywords.has("REQUIRETLS")) {
    const text = "Next hop does not promise TLS for the way behind it (REQUIRETLS)";
    return { ...unfit(reply(550, "5.7.30", text)), elsewhere: true };
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
  if (leftSeconds <= 0) return unfit(reply(554, "5.4.7", "The time to deliver it in is over"));
  if (protocol === "lmtp") return null;
  const least = keywords.get("DELIVERBY");
  if (least === undefined) {
    return unfit(reply(554, "5.3.3", "Next hop does not deliver in a given time (DELIVERBY)"));
  }
  if (leftSeconds >= (Number(least) || 0)) return null;
  return unfit(reply(554, "5.4.7", `Next hop takes ${least} seconds and more to deliver`));
}

function unfit(reply: Reply): Unfit {
  return { kind: "unsuitable", reply, elsewhere: false };
}

function needsUtf8Paths(
  { smtpUtf8, reversePath }: MessageRecord,
  recipients: readonly RecipientRecord[],
): boolean {
  if (!smtpUtf8) return false;
  return isNotAscii(reversePath) || recipients.some(({ forwardPath }) => isNotAscii(forwardPath));
}

function isNotAscii(text: string): boolean {
  return /[\u0080-\uffff]/.test(text);
}
