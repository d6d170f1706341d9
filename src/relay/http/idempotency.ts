import { createHash } from "node:crypto";
import type { DeliveryJob } from "../../delivery/transport.ts";
import type { JobRecipient } from "./provider.ts";

/**
 * The name of sending one message to some recipients: the same at every attempt, and another one
 * as soon as a recipient more or less is meant. 49 characters.
 */
export function idempotencyKey(
  { message }: DeliveryJob,
  recipients: readonly JobRecipient[],
): string {
  const who = recipients.map(({ index }) => index).sort((a, b) => a - b).join(",");
  return `${message.id}-${createHash("sha256").update(who).digest("hex").slice(0, 32)}`;
}
