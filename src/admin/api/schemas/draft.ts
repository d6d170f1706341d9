import { z } from "zod";
import { parseMailbox } from "../../../mail/address.ts";
import type { Draft, DraftAttachment, DraftMailbox } from "../../../mail/compose/draft.ts";
import { mailboxesIn } from "../../../mail/mailboxes.ts";
import { lineText, mailbox, timeMs } from "./fields.ts";

const MAX_MAILBOXES = 1000;
const MAX_HEADERS = 100;

/** A mailbox with or without a name: `ada@x.example`, `Ada <ada@x.example>`, or an object. */
const mailboxInput = z.union([
  lineText({ max: 1000 }).transform(readMailbox),
  z.strictObject({ address: mailbox(), name: lineText({ max: 500 }).default("") }),
]).describe("`user@example.net`, `Name <user@example.net>` or an object.");

const mailboxList = z.union([
  mailboxInput.transform((one) => [one]),
  z.array(mailboxInput).max(MAX_MAILBOXES),
]).default([]);

const attachment = z.strictObject({
  filename: lineText({ max: 255 }).default(""),
  type: lineText({ max: 200 }).default("application/octet-stream").describe("Media type."),
  content: z.string().transform(readBase64).describe("In base64."),
  contentId: lineText({ max: 200 }).optional()
    .describe("Content-ID for the HTML, as in `cid:name`."),
}).meta({ id: "NewAttachment" });

/** A message as an application writes it. */
export const draftSchema = z.strictObject({
  from: z.union([z.literal(""), mailboxInput])
    .describe("Author; empty for the relay's postmaster, with the null reverse-path."),
  sender: mailboxInput.optional(),
  replyTo: mailboxList,
  to: mailboxList,
  cc: mailboxList,
  bcc: mailboxList.describe("Receive the message without being named in it."),
  subject: lineText({ max: 2000 }).default(""),
  text: z.string().optional(),
  html: z.string().optional(),
  attachments: z.array(attachment).max(100).default([]),
  headers: z.record(z.string().max(76), lineText({ max: 10_000 })).default({})
    .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, {
      error: `expected at most ${MAX_HEADERS} headers`,
    }),
  returnPath: z.union([z.literal(""), mailbox()]).optional()
    .describe("Reverse-path, which gets notifications. Default: the author."),
  sendAt: z.union([timeMs(), z.iso.datetime({ offset: true }).transform((at) => Date.parse(at))])
    .optional().describe("Earliest time of delivery: RFC 3339, or milliseconds."),
  raw: z.string().optional().describe("A whole message, instead of its fields."),
}).meta({ id: "NewMessage" });
export type DraftRequest = z.output<typeof draftSchema>;

/** The draft in a request. `postmaster` stands in for an author who is not given. */
export function draftOf(request: DraftRequest, postmaster: string): Draft {
  const { from, sender = null, replyTo, to, cc, subject, text, html, headers } = request;
  return {
    from: [from === "" ? { name: "", address: postmaster } : from],
    ...{ sender, replyTo, to, cc, subject },
    text: text ?? (html === undefined ? "" : null),
    html: html ?? null,
    attachments: request.attachments.map(({ contentId = null, ...file }): DraftAttachment => ({
      ...file,
      contentId,
    })),
    headers: Object.entries(headers),
  };
}

/** Whom a request sends to, each address as often as it is named. */
export function recipientsOf({ to, cc, bcc }: DraftRequest): string[] {
  return [...to, ...cc, ...bcc].map(({ address }) => address);
}

/** The reverse-path of a request. */
export function reversePathOf({ returnPath, sender, from }: DraftRequest): string {
  if (returnPath !== undefined) return returnPath;
  if (from === "") return "";
  return sender?.address ?? from.address;
}

function readMailbox(text: string, context: z.RefinementCtx): DraftMailbox {
  const [found, ...more] = mailboxesIn(text);
  const address = found?.address ?? "";
  if (found !== undefined && more.length === 0 && parseMailbox(address).kind === "ok") {
    return { name: found.name, address };
  }
  context.issues.push({
    code: "custom",
    input: text,
    message: "expected a mail address such as user@example.net or Name <user@example.net>",
  });
  return z.NEVER;
}

function readBase64(text: string, context: z.RefinementCtx): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    context.issues.push({ code: "custom", input: "", message: "expected base64" });
    return z.NEVER;
  }
}
