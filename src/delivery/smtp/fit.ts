import { type Reply, reply } from "../../mail/reply.ts";
import type { MessageRecord, RecipientRecord } from "../../queue/store.ts";
import type { Capabilities } from "../../smtp/client/capabilities.ts";
import type { RequestRecipient } from "../../smtp/client/transaction.ts";

/** How a message goes to a server with given capabilities, if it can. */
export type Fit =
  | {
    readonly kind: "fits";
    readonly mailParameters: readonly string[];
    readonly recipients: readonly RequestRecipient[];
    /** Whether the server takes over the duty to notify the sender (RFC 3461 section 5.2.1). */
    readonly notifies: boolean;
  }
  /** The server can not carry it; `reply` says why with a 5xx code. */
  | { readonly kind: "unsuitable"; readonly reply: Reply };

const NO_PARAMETERS: readonly string[] = [];

/** Holds the needs of a message against what a server offers. */
export function fit(
  message: MessageRecord,
  { recipients, capabilities }: {
    recipients: readonly RecipientRecord[];
    capabilities: Capabilities;
  },
): Fit {
  const obstacle = obstacleTo(message, { recipients, capabilities });
  if (obstacle !== null) return { kind: "unsuitable", reply: obstacle };
  return {
    kind: "fits",
    mailParameters: mailParameters(message, capabilities),
    recipients: recipients.map((recipient) => ({
      forwardPath: recipient.forwardPath,
      parameters: capabilities.dsn ? rcptParameters(recipient) : NO_PARAMETERS,
    })),
    notifies: capabilities.dsn,
  };
}

function obstacleTo(
  message: MessageRecord,
  { recipients, capabilities }: {
    recipients: readonly RecipientRecord[];
    capabilities: Capabilities;
  },
): Reply | null {
  const { sizeBytes } = message.facts;
  const { maxSizeBytes } = capabilities;
  if (maxSizeBytes !== null && sizeBytes > maxSizeBytes) { // RFC 1870 section 6.1
    const text = `Message of ${sizeBytes} octets exceeds the next hop's limit of ${maxSizeBytes}`;
    return reply(552, "5.3.4", text);
  }
  if (message.body === "BINARYMIME") { // RFC 3030 section 3: not without BDAT
    return reply(554, "5.6.1", "Next hop does not take binary messages");
  }
  if (!capabilities.smtpUtf8 && needsUtf8Paths(message, recipients)) { // RFC 6531 section 3.5
    return reply(553, "5.6.7", "Next hop does not take addresses outside ASCII");
  }
  return null;
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

function mailParameters(message: MessageRecord, capabilities: Capabilities): string[] {
  const parameters: string[] = [];
  if (capabilities.size) parameters.push(`SIZE=${message.facts.sizeBytes}`); // RFC 1870 section 5
  if (capabilities.eightBitMime && message.body === "8BITMIME") { // RFC 6152 section 3
    parameters.push("BODY=8BITMIME");
  }
  if (capabilities.smtpUtf8 && message.smtpUtf8) parameters.push("SMTPUTF8"); // RFC 6531 section 3.4
  if (capabilities.dsn && message.extras !== undefined) { // RFC 3461 sections 4.3 and 4.4
    const { ret, envid } = message.extras;
    if (ret !== undefined) parameters.push(`RET=${ret}`);
    if (envid !== undefined) parameters.push(`ENVID=${envid}`);
  }
  return parameters;
}

/** RFC 3461 sections 4.1 and 4.2: passed on as they came. */
function rcptParameters({ notify, originalRecipient }: RecipientRecord): readonly string[] {
  const parameters: string[] = [];
  if (notify !== undefined) parameters.push(`NOTIFY=${notify.join(",")}`);
  if (originalRecipient !== undefined) parameters.push(`ORCPT=${originalRecipient}`);
  return parameters.length === 0 ? NO_PARAMETERS : parameters;
}
