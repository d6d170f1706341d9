import type { DeliveryJob } from "../../delivery/transport.ts";
import { apiAddress } from "./carry.ts";
import { idempotencyKey } from "./idempotency.ts";

/**
 * The envelope of a job as fields of a request. Mailboxes are separated by commas; in each of
 * them `%`, `,` and whatever is not visible ASCII stands as percent-encoded UTF-8. A null
 * reverse-path is empty. The key is the same at every attempt for the same recipients.
 */
export function envelopeFields(job: DeliveryJob): Record<string, string> {
  const { message, recipients } = job;
  return {
    "x-posthouse-id": message.id,
    "x-posthouse-mail-from": encodeMailbox(message.reversePath),
    "x-posthouse-rcpt-to": recipients.map(apiAddress).map(encodeMailbox).join(","),
    ...(message.smtpUtf8 ? { "x-posthouse-smtputf8": "yes" } : {}),
    "idempotency-key": idempotencyKey(job, recipients),
  };
}

function encodeMailbox(mailbox: string): string {
  return mailbox.replace(
    /[^\x21-\x7e]|[%,]/gu,
    (char) => char === "," ? "%2C" : encodeURIComponent(char),
  );
}
