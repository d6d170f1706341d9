import { Hono } from "hono";
import { z } from "zod";
import { encodeText } from "../../base/bytes.ts";
import { composeMessage } from "../content/compose.ts";
import { actorOf, addressOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import { newSecret } from "../guard/secrets.ts";
import type { ApiContext } from "./context.ts";
import { lineText, mailbox } from "./schemas/fields.ts";

const MAX_RECIPIENTS = 100;
const MAX_TEXT = 200_000;

const submitSchema = z.strictObject({
  from: z.union([z.literal(""), mailbox()]).describe("Reverse-path; empty for the null one."),
  to: z.array(mailbox()).min(1).max(MAX_RECIPIENTS),
  subject: lineText({ max: 500 }).default(""),
  text: z.string().max(MAX_TEXT).default(""),
  raw: z.string().max(MAX_TEXT).optional()
    .describe("A whole message in the place of subject and text."),
}).meta({ id: "NewMessage" });

const submittedSchema = z.object({ id: z.string().describe("Queue id.") })
  .meta({ id: "Submitted" });

/** Messages of the operator's own, such as a test message. */
export function submissionRoutes({ ports: { submission, info }, clock, random }: ApiContext) {
  return new Hono<AdminEnv>().post(
    "/messages",
    operation({
      id: "submitMessage",
      tag: "Messages",
      summary: "Put a message of your own into the queue",
      role: "operator",
      status: 201,
      answer: submittedSchema,
    }),
    json(submitSchema),
    async (c) => {
      if (submission === undefined) return problem(c, "not-found");
      const { from, to, subject, text, raw } = c.req.valid("json");
      const { hostname } = info.read();
      const message = raw === undefined
        ? composeMessage({
          from,
          to,
          subject,
          text,
          hostname,
          nowMs: clock.now(),
          unique: newSecret(random),
        })
        : encodeText(raw.replace(/\r?\n/g, "\r\n"));
      const by = actorOf(c.get("caller"));
      const clientAddress = addressOf(c.env?.peer);
      const result = await submission.submit({ from, to, message, by, clientAddress });
      if (result.kind === "refused") return problem(c, "refused", { detail: result.reason });
      return answer(c, submittedSchema, { id: result.id }, 201);
    },
  );
}
