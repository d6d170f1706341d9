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
  readonly text: string | null;
  readonly html: string | null;
  readonly files: readonly ToldFile[];
}

/** A file in a request. */
export interface ToldFile {
  readonly name: string;
  readonly type: string | undefined;
  readonly content: Uint8Array;
}

interface Part {
  readonly type: string;
  readonly value: string;
}

// deno-lint-ignore no-explicit-any
type Json = any;

function fileOf(name: string, type: string | undefined, base64: string): ToldFile {
  return { name, type: type?.split(";")[0], content: fromBase64(base64) };
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
    told: ({ from, subject, content, attachments = [] }) => ({
      ...{ author: authorOf(from), subject, ...textsOf(content) },
      files: attachments.map((file: Json) => fileOf(file.filename, file.type, file.content)),
    }),
  },
  mailchannels: {
    table: { api_key: "k" },
    answer: [202, { request_id: "1", results: [] }],
    told: ({ from, subject, content, attachments = [] }) => ({
      ...{ author: authorOf(from), subject, ...textsOf(content) },
      files: attachments.map((file: Json) => fileOf(file.filename, file.type, file.content)),
    }),
  },
  postmark: {
    table: { server_token: "k" },
    answer: [200, { ErrorCode: 0, MessageID: "1" }],
    told: ({ From, Subject, TextBody = null, HtmlBody = null, Attachments }) => ({
      ...{ author: plainAuthor(From), subject: Subject, text: TextBody, html: HtmlBody },
      files: Attachments.map((file: Json) => fileOf(file.Name, file.ContentType, file.Content)),
    }),
  },
  resend: {
    table: { api_key: "k" },
    answer: [200, { id: "1" }],
    told: ({ from, subject, text = null, html = null, attachments }) => ({
      ...{ author: plainAuthor(from), subject, text, html },
      files: attachments.map((file: Json) =>
        fileOf(file.filename, file.content_type, file.content)
      ),
    }),
  },
  brevo: {
    table: { api_key: "k" },
    answer: [201, { messageId: "1" }],
    told: ({ sender, subject, textContent = null, htmlContent = null, attachment = [] }) => ({
      ...{ author: authorOf(sender), subject, text: textContent, html: htmlContent },
      files: attachment.map((file: Json) => fileOf(file.name, undefined, file.content)),
    }),
  },
  mailjet: {
    table: { api_key: "k", secret_key: "s" },
    answer: [200, { Messages: [{ Status: "success", To: [{ MessageID: 1 }] }] }],
    told: ({ Globals: { From, Subject, TextPart = null, HTMLPart = null, ...files } }) => ({
      ...{ author: `${From.Name ?? ""} <${From.Email}>`, subject: Subject },
      ...{ text: TextPart, html: HTMLPart },
      files: [...files.Attachments ?? [], ...files.InlinedAttachments ?? []].map((file) =>
        fileOf(file.Filename, file.ContentType, file.Base64Content)
      ),
    }),
  },
};
