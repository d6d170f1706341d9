import { z } from "zod";
import { RECIPIENT_STATES } from "../../../queue/store.ts";
import { timeMs } from "./fields.ts";

const stateCounts = z.partialRecord(z.enum(RECIPIENT_STATES), z.int())
  .describe("Number of recipients in each state; absent means none.");

const origin = z.object({
  listener: z.string(),
  clientAddress: z.string(),
  clientPort: z.int(),
  helo: z.string(),
  protocol: z.string(),
  user: z.string().optional(),
  tls: z.string().optional(),
}).meta({ id: "Origin", description: "Where the relay accepted the message." });

const facts = z.object({
  sizeBytes: z.int(),
  eightBit: z.boolean(),
  dotLines: z.int(),
  longestLineBytes: z.int(),
  lineOriented: z.boolean(),
});

const extras = z.object({
  ret: z.enum(["FULL", "HDRS"]).optional(),
  envid: z.string().optional(),
  requireTls: z.literal(true).optional(),
  deliverBy: z.object({ deadlineMs: timeMs(), mode: z.enum(["R", "N"]), trace: z.boolean() })
    .optional(),
  holdUntilMs: timeMs().optional(),
  priority: z.int().optional(),
  submitter: z.string().optional(),
}).describe("Optional envelope parameters.");

/** What is known of a message apart from its octets and its recipients. */
export const messageSchema = z.object({
  id: z.string(),
  receivedAtMs: timeMs(),
  reversePath: z.string().describe("Empty for the null reverse-path."),
  body: z.enum(["7BIT", "8BITMIME", "BINARYMIME"]),
  smtpUtf8: z.boolean(),
  extras: extras.optional(),
  origin,
  facts,
  summary: z.object({ subject: z.string(), from: z.string(), messageId: z.string() }),
  headers: z.record(z.string(), z.array(z.string())).optional()
    .describe("Fields that routes match, by name in lower case."),
  prefix: z.string().optional()
    .describe("Header fields added before sending, such as signatures."),
  route: z.string().optional().describe("The route that an operator chose."),
  expiresAtMs: timeMs(),
}).meta({ id: "Message" });

/** One row of a list. */
export const messageListItemSchema = z.object({
  message: messageSchema,
  recipientCount: z.int(),
  states: stateCounts,
  firstRecipients: z.array(z.string()).describe("At most five."),
  attempts: z.int().describe("Most attempts of any recipient."),
  nextAttemptAtMs: timeMs().nullable(),
  lastReply: z.string(),
}).meta({ id: "MessageListItem" });

/** A page of a list. */
export const messagePageSchema = z.object({
  items: z.array(messageListItemSchema),
  cursor: z.string().nullable().describe(
    "Null on the last page. A long search stops early: a page may be short or empty and " +
      "still not be the last.",
  ),
}).meta({ id: "MessagePage" });

export const messageCountSchema = z.object({
  count: z.int(),
  isComplete: z.boolean()
    .describe("False if there may be more: the count stopped early."),
}).meta({ id: "MessageCount" });

const recipient = z.object({
  index: z.int(),
  forwardPath: z.string(),
  domain: z.string(),
  notify: z.array(z.enum(["NEVER", "SUCCESS", "FAILURE", "DELAY"])).optional(),
  originalRecipient: z.string().optional(),
  state: z.enum(RECIPIENT_STATES),
  attempts: z.int(),
  nextAttemptAtMs: timeMs(),
  delayNotified: z.boolean(),
  released: z.literal(true).optional().describe("Set when an operator released it."),
  returned: z.literal(true).optional().describe("Set when an operator bounced it."),
  transport: z.string().optional()
    .describe("Of the last attempt or, if `rerouted`, of every further attempt."),
  rerouted: z.literal(true).optional().describe("Set when an operator chose the transport."),
  doubts: z.int().optional().describe("Attempts that may have delivered it; at most 3."),
  lastReply: z.string(),
  claimedBy: z.string().nullable(),
}).meta({ id: "Recipient" });

const timelineEntry = z.object({
  atMs: timeMs(),
  kind: z.string(),
  recipients: z.array(z.int()).describe("Indexes of recipients; empty means all."),
  detail: z.record(z.string(), z.unknown()),
}).meta({ id: "TimelineEntry" });

/** One message with everything but its octets. */
export const messageDetailSchema = z.object({
  message: messageSchema,
  recipients: z.array(recipient),
  timeline: z.array(timelineEntry),
  hasBody: z.boolean().describe("False if the content was removed."),
}).meta({ id: "MessageDetail" });

/** The header section. */
export const headersSchema = z.object({
  fields: z.array(z.object({
    name: z.string(),
    value: z.string().describe("Unfolded and decoded."),
  })),
  complete: z.boolean().describe("False if the section was too long to read."),
}).meta({ id: "Headers" });

export const textSchema = z.object({
  text: z.string(),
  truncated: z.boolean(),
  source: z.enum(["text", "html", "none"])
    .describe("The part it was converted from."),
}).meta({ id: "MessageText" });

/** A part of a message that is not its text. */
export const attachmentSchema = z.object({
  index: z.int(),
  filename: z.string().describe("A safe file name."),
  mediaType: z.string(),
  sizeBytes: z.int(),
  disposition: z.enum(["attachment", "inline"]),
  contentId: z.string().nullable(),
}).meta({ id: "Attachment" });

export const attachmentsSchema = z.object({ items: z.array(attachmentSchema) })
  .meta({ id: "Attachments" });
