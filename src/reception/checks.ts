/** The order in which mail is judged, stage by stage. It is written here and nowhere else. */
import type { AuthorDecision } from "../policy/authors.ts";
import type { Check, SyncCheck } from "./check.ts";
import { clientConnections, listenerConnections } from "./checks/connections.ts";
import { authors, headerForm, headerLines, hops } from "./checks/content.ts";
import { relaying, returnAddress, suppression } from "./checks/recipient.ts";
import { storeAvailable } from "./checks/store.ts";
import { usageBelow, usageTaken } from "./checks/usage.ts";
import { userRate, userSender } from "./checks/user.ts";
import type { ContentRequest, MailRequest, RecipientRequest } from "./facts.ts";

/** Before the greeting. A refusal with 421 closes the connection. */
export const CONNECT_CHECKS: readonly Check<null>[] = [
  listenerConnections,
  clientConnections,
  usageBelow("errors", "client_errors"),
  usageTaken("connections", "connection_rate"),
];

/** Before each command; a refusal ends the session. */
export const COMMAND_CHECKS: readonly SyncCheck<null>[] = [
  usageBelow("errors", "client_errors"),
  usageTaken("commands", "command_rate"),
];

/** The client named itself by HELO or EHLO. */
export const EHLO_CHECKS: readonly Check<null>[] = [];

/** The sender of a message. */
export const MAIL_CHECKS: readonly Check<MailRequest>[] = [
  storeAvailable,
  usageBelow("bytes", "byte_rate"),
  usageTaken("messages", "message_rate"),
  userSender,
  userRate,
];

/** Every recipient but Postmaster without a domain, who is always reached (RFC 5321 4.5.1). */
export const RCPT_CHECKS: readonly Check<RecipientRequest>[] = [
  usageTaken("recipients", "recipient_rate"),
  returnAddress,
  relaying,
  suppression,
];

/** The header section, once it is whole. What none decides may be written in any name. */
export const CONTENT_CHECKS: readonly SyncCheck<ContentRequest, AuthorDecision>[] = [
  headerForm,
  hops,
  headerLines,
  authors,
];
