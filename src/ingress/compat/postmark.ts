import { type Context, Hono } from "hono";
import { z } from "zod";
import type { CompatCaller, CompatDesk, Handed, Letter } from "./desk.ts";
import { readJson, readValue } from "./json.ts";
import {
  readAttachment,
  readMailbox,
  readMailboxes,
  refuseEmpty,
  RequestError,
} from "./reading.ts";
import { boundedBody, type CompatEnv, originOf, TOO_LARGE, unknownRequest } from "./request.ts";

const text = z.string().nullish().transform((value) => value ?? "");
const email = z.object({
  From: z.string(),
  To: text,
  Cc: text,
  Bcc: text,
  Subject: text,
  ReplyTo: text,
  HtmlBody: z.string().nullish(),
  TextBody: z.string().nullish(),
  TemplateId: z.unknown().optional(),
  TemplateAlias: z.unknown().optional(),
  Headers: z.array(z.object({ Name: z.string(), Value: z.string() })).nullish(),
  Attachments: z.array(z.object({
    Name: z.string(),
    Content: z.string(),
    ContentType: text,
    ContentID: z.string().nullish(),
  })).nullish(),
});
type Email = z.output<typeof email>;

/** Source: the table of API error codes at postmarkapp.com/developer/api/overview. */
const ERROR_CODES = {
  credentials: 10,
  invalid: 300,
  json: 402,
  too_large: 300,
  template: 1101,
  later: 100,
} as const;

/** Requests as Postmark's API has them. Source: postmarkapp.com/developer/api/email-api. */
export function postmarkRoutes(desk: CompatDesk) {
  return new Hono<CompatEnv>()
    .use(
      boundedBody(
        desk,
        (c) => failure(c, { ErrorCode: ERROR_CODES.too_large, Message: TOO_LARGE }),
      ),
    )
    .post("/email", async (c) => {
      const caller = await callerOf(c, desk);
      if (caller === null) return unauthorized(c);
      const result = await handIn(desk, {
        caller,
        read: async () => readEmail(readJson(await c.req.text(), z.unknown())),
      });
      return c.json(result.body, result.status);
    })
    .post("/email/batch", async (c) => {
      const caller = await callerOf(c, desk);
      if (caller === null) return unauthorized(c);
      try {
        const items = readJson(await c.req.text(), z.array(z.unknown()).max(500));
        const answers = [];
        for (const item of items) {
          const read = () => readEmail(item);
          answers.push((await handIn(desk, { caller, read })).body);
        }
        return c.json(answers);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        return failure(c, { ErrorCode: ERROR_CODES.json, Message: error.message });
      }
    })
    .on(
      "POST",
      ["/email/withTemplate", "/email/batchWithTemplates"],
      (c) =>
        failure(c, { ErrorCode: ERROR_CODES.template, Message: "Templates are not supported" }),
    )
    .all("*", (c) => {
      const Message = unknownRequest(c);
      return c.json({ ErrorCode: ERROR_CODES.invalid, Message }, 404);
    });
}

function failure(c: Context, body: { ErrorCode: number; Message: string }): Response {
  return c.json(body, 422);
}

function callerOf(c: Context<CompatEnv>, desk: CompatDesk): Promise<CompatCaller | null> {
  return desk.admit(c.req.header("x-postmark-server-token") ?? "", originOf(c));
}

function unauthorized(c: Context): Response {
  const Message = "The Server Token you provided in the X-Postmark-Server-Token request header " +
    "was invalid.";
  return c.json({ ErrorCode: ERROR_CODES.credentials, Message }, 401);
}

function readEmail(body: unknown): { request: Email; letter: Letter } {
  const request = readValue(body, email);
  if (request.TemplateId !== undefined || request.TemplateAlias !== undefined) {
    throw new RequestError("TemplateId", "Templates are not supported");
  }
  const from = readMailbox("From", request.From);
  const to = readMailboxes("To", request.To);
  const cc = readMailboxes("Cc", request.Cc);
  const bcc = readMailboxes("Bcc", request.Bcc);
  const attachments = (request.Attachments ?? []).map((file, place) =>
    readAttachment(`Attachments.${place}.Content`, {
      ...{ filename: file.Name, type: file.ContentType, content: file.Content },
      contentId: file.ContentID?.replace(/^cid:/, "") ?? null,
    })
  );
  const texts = { text: request.TextBody ?? null, html: request.HtmlBody ?? null };
  refuseEmpty({ ...texts, attachments }, "Provide either email TextBody or HtmlBody or both.");
  const letter: Letter = {
    from: from.address,
    to: [...to, ...cc, ...bcc].map(({ address }) => address),
    content: {
      ...{ from: [from], sender: null, to, cc, attachments, subject: request.Subject, ...texts },
      replyTo: readMailboxes("ReplyTo", request.ReplyTo),
      headers: (request.Headers ?? []).map(({ Name, Value }) => [Name, Value] as const),
    },
  };
  return { request, letter };
}

interface Answer {
  readonly status: 200 | 409 | 422 | 503;
  readonly body: Record<string, string | number>;
}

async function handIn(
  desk: CompatDesk,
  { caller, read }: {
    caller: CompatCaller;
    read: () => ReturnType<typeof readEmail> | Promise<ReturnType<typeof readEmail>>;
  },
): Promise<Answer> {
  try {
    const { request, letter } = await read();
    return answerOf(await desk.handIn(caller, letter), { request, nowMs: desk.clock.now() });
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { status: 422, body: { ErrorCode: ERROR_CODES.invalid, Message: error.message } };
  }
}

function answerOf(
  handed: Handed,
  { request: { To, Cc, Bcc }, nowMs }: { request: Email; nowMs: number },
): Answer {
  if (handed.kind === "queued") {
    const SubmittedAt = new Date(nowMs).toISOString();
    const named = { ...(Cc === "" ? {} : { Cc }), ...(Bcc === "" ? {} : { Bcc }) };
    const body = { To, ...named, SubmittedAt, MessageID: handed.id, ErrorCode: 0, Message: "OK" };
    return { status: 200, body };
  }
  const status = { message: 422, too_large: 422, later: 503, conflict: 409 } as const;
  const ErrorCode = handed.why === "later" ? ERROR_CODES.later : ERROR_CODES.invalid;
  return { status: status[handed.why], body: { ErrorCode, Message: handed.text } };
}
