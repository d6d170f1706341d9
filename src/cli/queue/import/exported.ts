import { z } from "zod";
import { RECIPIENT_STATES } from "../../../queue/store.ts";

const time = z.int().min(0);

const recipientSchema = z.object({
  forwardPath: z.string().min(1),
  notify: z.array(z.enum(["NEVER", "SUCCESS", "FAILURE", "DELAY"])).exactOptional(),
  originalRecipient: z.string().exactOptional(),
  state: z.enum(RECIPIENT_STATES),
  nextAttemptAtMs: time,
});

/** What `queue export` writes beside the octets of a message. */
const envelopeSchema = z.object({
  id: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{16}$/),
  receivedAtMs: time,
  expiresAtMs: time,
  reversePath: z.string(),
  body: z.enum(["7BIT", "8BITMIME", "BINARYMIME"]),
  smtpUtf8: z.boolean(),
  extras: z.object({
    ret: z.enum(["FULL", "HDRS"]).exactOptional(),
    envid: z.string().exactOptional(),
    requireTls: z.literal(true).exactOptional(),
    deliverBy: z.object({
      deadlineMs: z.int(),
      mode: z.enum(["R", "N"]),
      trace: z.boolean(),
    }).exactOptional(),
    holdUntilMs: time.exactOptional(),
    priority: z.int().min(-9).max(9).exactOptional(),
    submitter: z.string().exactOptional(),
  }).exactOptional(),
  origin: z.object({
    listener: z.string(),
    clientAddress: z.string(),
    clientPort: z.int(),
    helo: z.string(),
    protocol: z.string(),
    user: z.string().exactOptional(),
    tls: z.string().exactOptional(),
  }),
  prefix: z.string().exactOptional(),
  route: z.string().exactOptional(),
  /** SHA-256 of the octets in the file, in hex; so that an edited message is noticed. */
  sha256: z.string().exactOptional(),
  recipients: z.array(recipientSchema),
});

/** The envelope of an exported message. */
export type ExportedEnvelope = z.output<typeof envelopeSchema>;

/** The envelope in a JSON file, or why it is none. */
export function parseExported(text: string): ExportedEnvelope | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "its envelope is not valid JSON";
  }
  const parsed = envelopeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `its envelope is invalid: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim();
}
