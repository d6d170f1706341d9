/** The APIs that want fields, and what a request to each tells of a message. */
import type { Told } from "./cases.ts";
import { fromBase64 } from "./requests.ts";

/** One API that takes a message apart. */
export interface FieldsApi {
  /** Its table in the config file, but for `base_url`. */
  readonly table: Readonly<Record<string, string>>;
  /** The answer that takes everything. */
  readonly answer: readonly [status: number, body: unknown];
  /** What the JSON of a request tells. */
  // deno-lint-ignore no-explicit-any
  told(json: any): ToldFields;
}

/** What every API is told; `undefined` where one has no place for it. */
export interface ToldFields extends Pick<Told, "subject" | "author"> {
  /** `name <address>` of each, as `Told` has it. */
  readonly replyTo: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly files: readonly ToldFile[];
}

/** A file in a request. */
export interface ToldFile {
  readonly name: string;
  readonly type: string | undefined;
  /** Without angle brackets or scheme; undefined where the API has no place for it. */
  readonly id: string | null | undefined;
  readonly content: Uint8Array;
}

interface Part {
  readonly type: string;
  readonly value: string;
}

// deno-lint-ignore no-explicit-any
type Json = any;

function fileOf(file: Omit<ToldFile, "content"> & { readonly base64: string }): ToldFile {
  const { base64, ...facts } = file;
  return { ...facts, content: fromBase64(base64) };
}

/** A file in the keys of SendGrid and of those who took them over. */
function sendgridFile({ filename: name, type, content: base64, content_id: id = null }: Json) {
  return fileOf({ name, type, base64, id });
}

function authorOf({ name = "", email }: { name?: string; email: string }): string {
  return `${name} <${email}>`;
}

/** `"Doe, Ann" <ann@example.net>` as others write it here: without quotes. */
function plainAuthor(mailbox: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)" <(.*)>$/.exec(mailbox);
  if (quoted === null) return ` <${mailbox}>`;
  return `${quoted[1]?.replace(/\\(.)/g, "$1")} <${quoted[2]}>`;
}

function mailjetMailbox({ Name = "", Email }: { Name?: string; Email: string }): string {
  return `${Name} <${Email}>`;
}

function authorsOf(mailboxes: readonly { name?: string; email: string }[]): string {
  return mailboxes.map(authorOf).join(", ");
}

function textsOf(parts: readonly Part[]): { text: string | null; html: string | null } {
  const find = (wanted: string): string | null =>
    parts.find(({ type }) => type === wanted)?.value ?? null;
  return { text: find("text/plain"), html: find("text/html") };
}

/** Every API that wants fields, by the type of its transports. */
export const FIELDS_APIS: Readonly<Record<string, FieldsApi>> = {
  sendgrid: {
    table: { api_key: "k" },
    answer: [202, {}],
    told: ({ from, reply_to_list: replyTo = [], subject, content, attachments = [] }) => ({
      ...{ author: authorOf(from), replyTo: authorsOf(replyTo), subject, ...textsOf(content) },
      files: attachments.map(sendgridFile),
    }),
  },
  mailchannels: {
    table: { api_key: "k" },
    answer: [202, { request_id: "1", results: [] }],
    told: ({ from, reply_to: replyTo, subject, content, attachments = [] }) => ({
      ...{ author: authorOf(from), subject, ...textsOf(content) },
      replyTo: authorsOf(replyTo === undefined ? [] : [replyTo]),
      files: attachments.map((file: Json) => ({ ...sendgridFile(file), id: undefined })),
    }),
  },
  postmark: {
    table: { server_token: "k" },
    answer: [200, { ErrorCode: 0, MessageID: "1" }],
    told: ({ From, ReplyTo, Subject, TextBody = null, HtmlBody = null, Attachments }) => ({
      ...{ author: plainAuthor(From), subject: Subject, text: TextBody, html: HtmlBody },
      replyTo: ReplyTo === undefined ? "" : plainAuthor(ReplyTo),
      files: Attachments.map((file: Json) =>
        fileOf({
          ...{ name: file.Name, type: file.ContentType, base64: file.Content },
          id: file.ContentID?.replace(/^cid:/, "") ?? null,
        })
      ),
    }),
  },
  resend: {
    table: { api_key: "k" },
    answer: [200, { id: "1" }],
    told: ({ from, reply_to: replyTo = [], subject, text = null, html = null, attachments }) => ({
      ...{ author: plainAuthor(from), subject, text, html },
      replyTo: replyTo.map(plainAuthor).join(", "),
      files: attachments.map((file: Json) => sendgridFile({ ...file, type: file.content_type })),
    }),
  },
  brevo: {
    table: { api_key: "k" },
    answer: [201, { messageId: "1" }],
    told: (
      { sender, replyTo, subject, textContent = null, htmlContent = null, attachment = [] },
    ) => ({
      ...{ author: authorOf(sender), subject, text: textContent, html: htmlContent },
      replyTo: authorsOf(replyTo === undefined ? [] : [replyTo]),
      files: attachment.map(({ name, content: base64 }: Json) =>
        fileOf({ name, type: undefined, base64, id: undefined })
      ),
    }),
  },
  mailjet: {
    table: { api_key: "k", secret_key: "s" },
    answer: [200, { Messages: [{ Status: "success", To: [{ MessageID: 1 }] }] }],
    told: (
      { Globals: { From, ReplyTo, Subject, TextPart = null, HTMLPart = null, ...files } },
    ) => ({
      ...{ author: mailjetMailbox(From), subject: Subject, text: TextPart, html: HTMLPart },
      replyTo: ReplyTo === undefined ? "" : mailjetMailbox(ReplyTo),
      files: [...files.Attachments ?? [], ...files.InlinedAttachments ?? []].map((file) =>
        fileOf({
          ...{ name: file.Filename, type: file.ContentType, base64: file.Base64Content },
          id: file.ContentID ?? null,
        })
      ),
    }),
  },
};
