import { type Context, Hono } from "hono";
import { z } from "zod";
import type { CompatCaller, CompatDesk, CompatRequest, Letter, Refusal } from "./desk.ts";
import { fingerprintOf, placeOf } from "./desk.ts";
import { readJson, readValue } from "./json.ts";
import {
  readAttachment,
  readMailbox,
  readMailboxes,
  readTime,
  refuseEmpty,
  RequestError,
} from "./reading.ts";
import {
  bearerOf,
  boundedBody,
  type CompatEnv,
  originOf,
  TOO_LARGE,
  unknownRequest,
} from "./request.ts";

const MAX_BATCH = 100;
const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]).nullish()
  .transform((value) => value ?? []);
/** Base64, or a buffer as `JSON.stringify` writes it. */
const octets = z.union([
  z.string(),
  z.object({ type: z.literal("Buffer"), data: z.array(z.int().min(0).max(255)) })
    .transform(({ data }) => Uint8Array.from(data).toBase64()),
]);
const email = z.object({
  from: z.string(),
  to: list,
  cc: list,
  bcc: list,
  reply_to: list,
  subject: z.string().default(""),
  html: z.string().nullish(),
  text: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  attachments: z.array(z.object({
    content: octets.optional(),
    path: z.string().optional(),
    filename: z.string().default(""),
    content_type: z.string().nullish(),
    content_id: z.string().nullish(),
  })).nullish(),
  scheduled_at: z.string().nullish(),
  template: z.unknown().optional(),
});
type Email = z.output<typeof email>;

/** Requests as Resend's API has them. Source: resend/resend-openapi `resend.yaml`. */
export function resendRoutes(desk: CompatDesk) {
  return new Hono<CompatEnv>()
    .use(boundedBody(desk, (c) => refused(c, { why: "too_large", text: TOO_LARGE })))
    .post("/emails", (c) =>
      serve(c, desk, async (caller, body) => {
        const letters = [letterOf(readJson(body, email), desk.clock.now())];
        const handed = await desk.handInAll(caller, { letters, ...onceOf(c, body) });
        return handed.kind === "queued" ? c.json({ id: handed.ids[0] ?? "" }) : refused(c, handed);
      }))
    .post("/emails/batch", (c) =>
      serve(c, desk, async (caller, body) => {
        const items = readJson(body, z.array(z.unknown()).min(1).max(MAX_BATCH));
        const isPermissive = c.req.header("x-batch-validation") === "permissive";
        const once = onceOf(c, body);
        const request = { caller, items, once };
        return isPermissive
          ? await sendGood(c, { desk, ...request })
          : await sendAll(c, { desk, ...request });
      }))
    .all("*", (c) => failure(c, { status: 404, name: "not_found", message: unknownRequest(c) }));
}

async function serve(
  c: Context<CompatEnv>,
  desk: CompatDesk,
  handle: (caller: CompatCaller, body: string) => Promise<Response>,
): Promise<Response> {
  const caller = await desk.admit(bearerOf(c), originOf(c));
  if (caller === null) {
    return failure(c, { status: 401, name: "invalid_api_key", message: "API key is invalid" });
  }
  try {
    return await handle(caller, await c.req.text());
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return failure(c, { status: 422, name: "validation_error", message: error.message });
  }
}

/** A request with several letters. */
interface BatchRequest {
  readonly desk: CompatDesk;
  readonly caller: CompatCaller;
  readonly items: readonly unknown[];
  readonly once: CompatRequest;
}

async function sendAll(
  c: Context,
  { desk, caller, items, once }: BatchRequest,
): Promise<Response> {
  const letters = items.map((item, index) =>
    letterIn(item, { place: placeOf(index, items.length), nowMs: desk.clock.now() })
  );
  const handed = await desk.handInAll(caller, { letters, ...once });
  if (handed.kind === "refused") return refused(c, handed);
  return c.json({ data: handed.ids.map((id) => ({ id })) });
}

/** Leaves out what is refused and says so; what is left is still taken as a whole. */
async function sendGood(
  c: Context,
  { desk, caller, items, once }: BatchRequest,
): Promise<Response> {
  const errors: { index: number; message: string }[] = [];
  let good: { index: number; letter: Letter }[] = [];
  for (const [index, item] of items.entries()) {
    try {
      good.push({ index, letter: letterIn(item, { place: "", nowMs: desk.clock.now() }) });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      errors.push({ index, message: error.message });
    }
  }
  while (good.length > 0) {
    const letters = good.map(({ letter }) => letter);
    const handed = await desk.handInAll(caller, { letters, ...once });
    if (handed.kind === "queued") {
      return c.json({ data: handed.ids.map((id) => ({ id })), errors });
    }
    const wrong = handed.index === null ? undefined : good[handed.index];
    if (wrong === undefined || handed.why === "later") return refused(c, handed);
    errors.push({ index: wrong.index, message: handed.text });
    good = good.filter((one) => one !== wrong);
  }
  return c.json({ data: [], errors });
}

function letterIn(
  item: unknown,
  { place, nowMs }: { place: string; nowMs: number },
): Letter {
  try {
    return letterOf(readValue(item, email), nowMs);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(error.field, `${place}${error.message}`);
  }
}

function letterOf(request: Email, nowMs: number): Letter {
  if (request.template !== undefined && request.template !== null) {
    throw new RequestError("template", "Templates are not supported");
  }
  const from = readMailbox("from", request.from);
  const [to, cc, bcc, replyTo] = (["to", "cc", "bcc", "reply_to"] as const).map((key) =>
    request[key].flatMap((one) => readMailboxes(key, one))
  );
  const attachments = (request.attachments ?? []).map((file, place) => {
    if (file.content === undefined) {
      throw new RequestError("attachments", "Attachments need their content; URLs are not fetched");
    }
    return readAttachment(`attachments.${place}.content`, {
      ...{ filename: file.filename, type: file.content_type ?? "", content: file.content },
      contentId: file.content_id ?? null,
    });
  });
  const texts = { text: request.text ?? null, html: request.html ?? null };
  refuseEmpty({ ...texts, attachments }, "Missing `html` or `text` field.");
  const { scheduled_at: sendAt } = request;
  return {
    from: from.address,
    to: [to, cc, bcc].flatMap((boxes) => boxes ?? []).map(({ address }) => address),
    content: {
      ...{ from: [from], sender: null, attachments, subject: request.subject },
      ...{ to: to ?? [], cc: cc ?? [], replyTo: replyTo ?? [] },
      ...texts,
      headers: Object.entries(request.headers ?? {}),
    },
    ...(sendAt === undefined || sendAt === null
      ? {}
      : { holdUntilMs: readTime("scheduled_at", { text: sendAt, nowMs }) }),
  };
}

/** Source: resend.com/docs/dashboard/emails/idempotency-keys. */
function onceOf(c: Context, body: string): CompatRequest {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return {};
  if (key === "" || key.length > 256) {
    throw new RequestError("", "The idempotency key must be between 1-256 characters");
  }
  return { once: { key, fingerprint: fingerprintOf(body) } };
}

const FAILURES = {
  message: { status: 422, name: "validation_error" },
  too_large: { status: 422, name: "validation_error" },
  later: { status: 503, name: "application_error" },
  conflict: { status: 409, name: "invalid_idempotent_request" },
} as const;

function refused(c: Context, { why, text }: Pick<Refusal, "why" | "text">): Response {
  return failure(c, { ...FAILURES[why], message: text });
}

function failure(
  c: Context,
  { status, name, message }: { status: 401 | 404 | 409 | 422 | 503; name: string; message: string },
): Response {
  return c.json({ statusCode: status, name, message }, status);
}
