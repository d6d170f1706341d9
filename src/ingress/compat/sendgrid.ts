import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Draft, DraftAttachment } from "../../mail/compose/draft.ts";
import type { CompatDesk, HandedAll, Letter } from "./desk.ts";
import { readJson } from "./json.ts";
import { checkedMailbox, readAttachment, RequestError, shownId } from "./reading.ts";
import {
  bearerOf,
  boundedBody,
  type CompatEnv,
  originOf,
  TOO_LARGE,
  unknownRequest,
} from "./request.ts";

const mailbox = z.object({ email: z.string(), name: z.string().nullish() });
const list = z.array(mailbox).default([]);
const personalization = z.object({
  from: mailbox.optional(),
  to: z.array(mailbox).min(1),
  cc: list,
  bcc: list,
  subject: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  substitutions: z.record(z.string(), z.unknown()).default({}),
  dynamic_template_data: z.record(z.string(), z.unknown()).optional(),
  send_at: z.number().optional(),
});
const setting = z.object({ enable: z.boolean().default(false) }).optional();
const mailSend = z.object({
  personalizations: z.array(personalization).min(1).max(1000),
  from: mailbox,
  reply_to: mailbox.optional(),
  reply_to_list: list,
  subject: z.string().default(""),
  content: z.array(z.object({ type: z.string(), value: z.string() })).default([]),
  attachments: z.array(z.object({
    content: z.string(),
    filename: z.string(),
    type: z.string().default(""),
    disposition: z.string().default("attachment"),
    content_id: z.string().optional(),
  })).default([]),
  headers: z.record(z.string(), z.string()).default({}),
  send_at: z.number().optional(),
  template_id: z.string().optional(),
  mail_settings: z.object({ sandbox_mode: setting, footer: setting, bcc: setting }).optional(),
});
type MailSend = z.output<typeof mailSend>;
type Personalization = MailSend["personalizations"][number];

const INVALID_KEY = "The provided authorization grant is invalid, expired, or revoked";

/**
 * Requests as SendGrid's API v3 has them. Source: twilio/sendgrid-oai `spec/json/tsg_mail_v3.json`.
 * Each personalization is a message of its own; all of a request are taken or none.
 */
export function sendgridRoutes(desk: CompatDesk) {
  return new Hono<CompatEnv>()
    .use(boundedBody(desk, (c) => errors(c, 413, { message: TOO_LARGE })))
    .post("/v3/mail/send", (c) => serve(c, desk))
    .all("*", (c) => errors(c, 404, { message: unknownRequest(c) }));
}

async function serve(c: Context<CompatEnv>, desk: CompatDesk): Promise<Response> {
  const caller = await desk.admit(bearerOf(c), originOf(c));
  if (caller === null) return errors(c, 401, { message: INVALID_KEY });
  try {
    const request = readJson(await c.req.text(), mailSend);
    const letters = lettersOf(request);
    if (request.mail_settings?.sandbox_mode?.enable === true) return c.body(null, 200);
    return answerTo(c, await desk.handInAll(caller, { letters }));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return errors(c, 400, { message: error.message, field: error.field });
  }
}

/** One letter for each personalization; what they have in common is read once. */
function lettersOf(request: MailSend): Letter[] {
  if (request.template_id !== undefined) {
    throw new RequestError("template_id", "Templates are not supported");
  }
  for (const key of ["footer", "bcc"] as const) {
    if (request.mail_settings?.[key]?.enable !== true) continue;
    throw new RequestError(`mail_settings.${key}`, `The setting ${key} is not supported`);
  }
  const html = request.content.find(({ type }) => type === "text/html")?.value ?? null;
  const attachments = request.attachments.map((file, place) =>
    readAttachment(`attachments.${place}.content`, {
      ...{ filename: file.filename, type: file.type, content: file.content },
      contentId: shownId(html, {
        isInline: file.disposition.toLowerCase() === "inline",
        ...{ id: file.content_id, filename: file.filename },
      }),
    })
  );
  return request.personalizations.map((part, index) =>
    letterOf(request, { part, index, attachments })
  );
}

function letterOf(
  request: MailSend,
  { part, index, attachments }: {
    part: Personalization;
    index: number;
    attachments: readonly DraftAttachment[];
  },
): Letter {
  const field = `personalizations.${index}`;
  if (Object.keys(part.substitutions).length > 0) {
    throw new RequestError(`${field}.substitutions`, "Substitutions are not supported");
  }
  const read = (key: string, boxes: readonly z.output<typeof mailbox>[]) =>
    boxes.map(({ email, name }, place) =>
      checkedMailbox(`${field}.${key}.${place}.email`, { address: email, name: name ?? "" })
    );
  const author = part.from ?? request.from;
  const from = checkedMailbox("from.email", { address: author.email, name: author.name ?? "" });
  const [to, cc, bcc] = [read("to", part.to), read("cc", part.cc), read("bcc", part.bcc)];
  const replies = [
    ...request.reply_to === undefined ? [] : [request.reply_to],
    ...request.reply_to_list,
  ];
  const draft: Draft = {
    ...{ from: [from], sender: null, to, cc, subject: part.subject ?? request.subject },
    replyTo: replies.map(({ email, name }) =>
      checkedMailbox("reply_to.email", { address: email, name: name ?? "" })
    ),
    ...textsOf(request),
    attachments,
    headers: Object.entries({ ...request.headers, ...part.headers }),
  };
  const sendAt = part.send_at ?? request.send_at;
  return {
    ...{ from: from.address, content: draft },
    to: [...to, ...cc, ...bcc].map(({ address }) => address),
    ...(sendAt === undefined ? {} : { holdUntilMs: sendAt * 1000 }),
  };
}

/** The forms of the text, of which there is one of a type. */
function textsOf(request: MailSend): Pick<Draft, "text" | "html" | "alternatives"> {
  const content = request.content.map(({ type, value }) => ({ type: plainType(type), value }));
  const doubled = content.find(({ type }, index) =>
    content.findIndex((other) => other.type === type) !== index
  );
  if (doubled !== undefined) {
    throw new RequestError("content", `There are two contents of type ${doubled.type}`);
  }
  const valueOf = (wanted: string) => content.find(({ type }) => type === wanted)?.value ?? null;
  const types = ["text/plain", "text/html"];
  const others = content.filter(({ type }) => !types.includes(type));
  return {
    ...{ text: valueOf("text/plain"), html: valueOf("text/html") },
    alternatives: others.map(({ type, value }) => ({ type, text: value })),
  };
}

/** The text is a string, so its charset says nothing. */
function plainType(type: string): string {
  const [name = "", ...parameters] = type.split(";");
  const plain = name.trim().toLowerCase();
  return plain === "text/plain" || plain === "text/html" ? plain : [plain, ...parameters].join(";");
}

function answerTo(c: Context, handed: HandedAll): Response {
  if (handed.kind === "queued") {
    return c.body(null, 202, { "x-message-id": handed.ids[0] ?? "" });
  }
  const status = { message: 400, too_large: 413, later: 503, conflict: 409 } as const;
  const { why, text: message, index } = handed;
  const field = index === null ? "" : `personalizations.${index}`;
  return errors(c, status[why], { message, field });
}

function errors(
  c: Context,
  status: 400 | 401 | 404 | 409 | 413 | 503,
  { message, field = "" }: { message: string; field?: string },
): Response {
  return c.json({ errors: [{ message, field: field || null, help: null }] }, status);
}
