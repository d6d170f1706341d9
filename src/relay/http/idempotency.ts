import { createHash } from "node:crypto";
import type { DeliveryJob } from "../../delivery/transport.ts";
import type { JobRecipient } from "./provider.ts";

/** `idempotencyKey` as a UUID, for APIs that take nothing else (RFC 9562 5.8, version 8). */
export function idempotencyUuid(job: DeliveryJob, recipients: readonly JobRecipient[]): string {
  const hash = createHash("sha256").update(idempotencyKey(job, recipients)).digest();
  hash.writeUInt8(0x80 | (hash.readUInt8(6) & 0x0f), 6);
  hash.writeUInt8(0x80 | (hash.readUInt8(8) & 0x3f), 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

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
