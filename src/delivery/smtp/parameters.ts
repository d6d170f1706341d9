import { asciiOriginalRecipient, encodeXtext } from "../../mail/xtext.ts";
import type { MessageRecord, RecipientRecord } from "../../queue/store.ts";
import type { Capabilities } from "../../smtp/client/capabilities.ts";
import type { Peer } from "./fit.ts";

const NO_PARAMETERS: readonly string[] = [];

/** What MAIL carries besides SIZE, of that which the server offers. */
export function mailParameters(
  message: MessageRecord,
  { peer, body, isUtf8, nowMs }: {
    peer: Peer;
    /** Whether the envelope or the header section may be outside ASCII. */
    isUtf8: boolean;
    /** The BODY that is declared; null for none. */
    body: "8BITMIME" | "BINARYMIME" | null;
    nowMs: number;
  },
): string[] {
  const { capabilities } = peer;
  const parameters: string[] = [];
  if (body !== null) parameters.push(`BODY=${body}`); // RFC 6152 section 3, RFC 3030 section 3
  if (capabilities.smtpUtf8 && isUtf8) parameters.push("SMTPUTF8"); // RFC 6531 section 3.4
  if (message.extras !== undefined) addExtras(parameters, { message, peer, nowMs });
  return parameters;
}

function addExtras(
  parameters: string[],
  { message: { extras = {} }, peer: { capabilities, loggedIn }, nowMs }: {
    message: MessageRecord;
    peer: Peer;
    nowMs: number;
  },
): void {
  const { keywords } = capabilities;
  const { ret, envid, requireTls, deliverBy, holdUntilMs, priority, submitter } = extras;
  if (capabilities.dsn) { // RFC 3461 sections 4.3 and 4.4
    if (ret !== undefined) parameters.push(`RET=${ret}`);
    if (envid !== undefined) parameters.push(`ENVID=${envid}`);
  }
  // RFC 8689 section 4.2.1; a hop that has to offer it was chosen for that
  if (requireTls === true && keywords.has("REQUIRETLS")) parameters.push("REQUIRETLS");
  if (deliverBy !== undefined && keywords.has("DELIVERBY")) {
    const { deadlineMs, mode, trace } = deliverBy;
    const leftSeconds = Math.floor((deadlineMs - nowMs) / 1000); // RFC 2852 section 4.1.4.1
    parameters.push(`BY=${leftSeconds};${mode}${trace ? "T" : ""}`);
  }
  if (holdUntilMs !== undefined && holdUntilMs > nowMs && keywords.has("FUTURERELEASE")) {
    const until = new Date(holdUntilMs).toISOString().replace(/\.\d+/, "");
    parameters.push(`HOLDUNTIL=${until}`); // RFC 4865 section 4
  }
  if (priority !== undefined && keywords.has("MT-PRIORITY")) { // RFC 6710 section 4.2
    parameters.push(`MT-PRIORITY=${priority}`);
  }
  // RFC 4954 section 5: to servers that this relay is trusted by
  if (submitter !== undefined && loggedIn && capabilities.auth.length > 0) {
    parameters.push(`AUTH=${submitter === "<>" ? submitter : encodeXtext(submitter)}`);
  }
}

/** RFC 3461 sections 4.1 and 4.2: passed on as they came, or in ASCII (RFC 6533 section 3). */
export function rcptParameters(
  { notify, originalRecipient }: RecipientRecord,
  { dsn, smtpUtf8 }: Capabilities,
): readonly string[] {
  if (!dsn || (notify === undefined && originalRecipient === undefined)) return NO_PARAMETERS;
  const parameters: string[] = [];
  if (notify !== undefined) parameters.push(`NOTIFY=${notify.join(",")}`);
  if (originalRecipient !== undefined) {
    const value = smtpUtf8 ? originalRecipient : asciiOriginalRecipient(originalRecipient);
    parameters.push(`ORCPT=${value}`);
  }
  return parameters;
}
