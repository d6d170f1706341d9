import { createHash } from "node:crypto";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { encodeText } from "../../base/bytes.ts";
import { composeMessage } from "../../mail/compose/compose.ts";
import { needsSmtpUtf8 } from "../../mail/compose/draft.ts";
import { addressOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem, type ProblemKind } from "../http/problem.ts";
import { newSecret } from "../guard/secrets.ts";
import type { AdminPorts, SubmitRefusal, SubmitRequest, SubmitResult } from "../ports.ts";
import type { ApiContext } from "./context.ts";
import { draftOf, draftSchema, recipientsOf, reversePathOf } from "./schemas/draft.ts";

/** A request with a message in fields is in memory as a whole, in base64 and more than once. */
const JSON_OVERHEAD = 1.5;
const JSON_LEAST_BYTES = 1024 * 1024;
const LONGEST_KEY_CHARS = 255;

const submittedSchema = z.object({ id: z.string().describe("Queue id.") })
  .meta({ id: "Submitted" });

const KINDS: Readonly<Record<SubmitRefusal, ProblemKind>> = {
  refused: "refused",
  too_large: "body-too-large",
  too_many_recipients: "too-many-recipients",
  later: "try-later",
  full: "full",
  unavailable: "unavailable",
  key_taken: "key-taken",
  under_way: "conflict",
};

/** Messages of applications, and of operators. */
export function submissionRoutes({ ports, clock, random }: ApiContext) {
  const describe = operation({
    id: "submitMessage",
    tag: "Messages",
    summary: "Queue a message",
    description:
      "In fields, or as `message/rfc822` with the envelope in the query (`from`, `to`) " +
      "or in X-Posthouse-Mail-From and X-Posthouse-Rcpt-To. X-Posthouse-SMTPUTF8 declares " +
      "UTF-8 in the header section (RFC 6531). The response is sent once the message is on " +
      "disk. A request repeated with its Idempotency-Key within a day queues no second message.",
    role: "send",
    status: 201,
    answer: submittedSchema,
  });
  return new Hono<AdminEnv>().post(
    "/messages",
    describe,
    rawMessage(ports),
    (c, next) => limitOf(ports)(c, next),
    json(draftSchema),
    async (c) => {
      const request = c.req.valid("json");
      const { hostname } = ports.info.read();
      const to = recipientsOf(request);
      const envelope = { from: reversePathOf(request), to };
      const hold = request.sendAt === undefined ? {} : { holdUntilMs: request.sendAt };
      const key = keyOf(c);
      if (key.kind === "wrong") return problem(c, "invalid-request", { detail: key.reason });
      const fingerprint = createHash("sha256").update(await c.req.text()).digest("hex");
      const rest = { ...envelope, ...hold, ...key.key, fingerprint };
      if (request.raw !== undefined) {
        const message = encodeText(request.raw.replace(/\r?\n/g, "\r\n"));
        return await submit(c, { ports, request: { ...rest, message } });
      }
      const draft = draftOf(request, `postmaster@${hostname}`);
      const composed = composeMessage(draft, {
        ...{ hostname, nowMs: clock.now(), unique: newSecret(random) },
      });
      if (composed.kind === "refused") {
        return problem(c, "invalid-request", {
          detail: `Cannot send the message: ${composed.reason}.`,
        });
      }
      const message = { message: composed.bytes, smtpUtf8: needsSmtpUtf8(draft) };
      return await submit(c, { ports, request: { ...rest, ...message } });
    },
  );
}

/** Handles a message that is whole already; passes on requests of other kinds. */
function rawMessage(ports: AdminPorts): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const mediaType = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (mediaType !== "message/rfc822") return await next();
    const envelope = rawEnvelope(c);
    if (envelope === null) {
      return problem(c, "invalid-request", {
        detail:
          "The message needs an envelope: from and to in the query, or in X-Posthouse fields.",
      });
    }
    const key = keyOf(c);
    if (key.kind === "wrong") return problem(c, "invalid-request", { detail: key.reason });
    const message = c.req.raw.body ?? new Uint8Array(0);
    const smtpUtf8 = c.req.header("x-posthouse-smtputf8") !== undefined;
    return await submit(c, { ports, request: { ...envelope, ...key.key, message, smtpUtf8 } });
  };
}

type Request = Omit<SubmitRequest, "by" | "identity" | "senders" | "senderCheck" | "clientAddress">;

async function submit(
  c: Context<AdminEnv>,
  { ports: { submission }, request }: { ports: AdminPorts; request: Request },
) {
  const sender = c.get("sender");
  if (sender === null) throw new Error("A route with a role was run without a sender");
  if (submission === undefined) return problem(c, "not-found");
  const clientAddress = addressOf(c.env?.peer);
  const { name: by, ...rights } = sender;
  const traceparent = c.req.header("traceparent");
  const trace = traceparent === undefined ? {} : { traceparent };
  const whole = { ...request, ...trace, by, ...rights, clientAddress };
  return answerTo(c, await submission.submit(whole));
}

function answerTo(c: Context<AdminEnv>, result: SubmitResult) {
  if (result.kind === "refused") {
    const isForNow = result.why === "later" || result.why === "unavailable";
    const headers = isForNow ? { "retry-after": "60" } : {};
    const named = result.recipients === undefined ? {} : { recipients: result.recipients };
    return problem(c, KINDS[result.why], { detail: result.reason, ...named, headers });
  }
  if (!result.repeated) return answer(c, submittedSchema, { id: result.id }, 201);
  c.header("idempotent-replayed", "true");
  return answer(c, submittedSchema, { id: result.id });
}

function limitOf({ submission }: AdminPorts): MiddlewareHandler<AdminEnv> {
  const messageBytes = submission?.limitBytes ?? 0;
  const maxSize = messageBytes === 0
    ? Number.MAX_SAFE_INTEGER
    : Math.ceil(messageBytes * JSON_OVERHEAD) + JSON_LEAST_BYTES;
  return bodyLimit({ maxSize, onError: (c) => problem(c, "body-too-large") });
}

/** The name of the request (draft-ietf-httpapi-idempotency-key-header). */
function keyOf(
  c: Context,
):
  | { readonly kind: "ok"; readonly key: { readonly key?: string } }
  | { readonly kind: "wrong"; readonly reason: string } {
  const value = c.req.header("idempotency-key");
  if (value === undefined) return { kind: "ok", key: {} };
  const key = value.replace(/^"(.*)"$/, "$1");
  if (key !== "" && key.length <= LONGEST_KEY_CHARS) return { kind: "ok", key: { key } };
  return { kind: "wrong", reason: `Idempotency-Key needs 1 to ${LONGEST_KEY_CHARS} characters.` };
}

/** The envelope of a whole message; null when nobody is named. */
function rawEnvelope(c: Context): { from: string; to: string[] } | null {
  const to = c.req.header("x-posthouse-rcpt-to");
  if (to === undefined) {
    const named = c.req.queries("to") ?? [];
    const from = c.req.query("from");
    return named.length === 0 || from === undefined ? null : { from, to: named };
  }
  const from = mailboxOf(c.req.header("x-posthouse-mail-from") ?? "");
  const recipients = to.split(",").map((text) => mailboxOf(text.trim()));
  return from === null || recipients.includes(null) ? null : {
    from,
    to: recipients.filter((one) => one !== null),
  };
}

/** A mailbox in a field, in which `%XX` stands for what a field cannot hold; null when broken. */
function mailboxOf(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
