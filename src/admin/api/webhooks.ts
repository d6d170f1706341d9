import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json, param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import type { ApiContext } from "./context.ts";
import { doneSchema, lineText, pageQuery, timeMs } from "./schemas/fields.ts";

const webhooksSchema = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      url: z.string(),
      events: z.array(z.string()),
      waiting: z.int(),
      lastError: z.object({ text: z.string(), atMs: timeMs() }).nullable(),
      lastSuccessAtMs: timeMs().nullable(),
    }).meta({ id: "Webhook" }),
  ),
}).meta({ id: "Webhooks" });

const logSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      webhook: z.string(),
      atMs: timeMs(),
      event: z.string(),
      status: z.int().nullable().describe("Null if there was no response."),
      durationMs: z.number(),
      error: z.string(),
    }).meta({ id: "WebhookCall" }),
  ),
  cursor: z.string().nullable(),
}).meta({ id: "WebhookLog" });

/** Where events are sent to. */
export function webhookRoutes({ ports: { webhooks } }: ApiContext) {
  const tag = "Webhooks";
  return new Hono<AdminEnv>()
    .get(
      "/webhooks",
      operation({
        ...{ tag, id: "listWebhooks", role: "viewer", answer: webhooksSchema },
        summary: "List webhooks and their state",
      }),
      async (c) => {
        if (webhooks === undefined) return problem(c, "not-found");
        return answer(c, webhooksSchema, { items: await webhooks.list() });
      },
    )
    .get(
      "/webhooks/log",
      operation({
        ...{ tag, id: "listWebhookCalls", role: "viewer", answer: logSchema },
        summary: "List requests, newest first",
      }),
      query(z.strictObject({ ...pageQuery, webhook: lineText({ max: 100 }).optional() })),
      async (c) => {
        if (webhooks === undefined) return problem(c, "not-found");
        const { limit, cursor, webhook } = c.req.valid("query");
        const page = await webhooks.log({
          limit,
          ...(cursor === undefined ? {} : { cursor }),
          ...(webhook === undefined ? {} : { webhook }),
        });
        return answer(c, logSchema, page);
      },
    )
    .post(
      "/webhooks/:name/replay",
      operation({
        ...{ tag, id: "replayWebhook", role: "operator", answer: doneSchema },
        summary: "Send past events again",
      }),
      param(z.strictObject({ name: lineText({ max: 100 }) })),
      json(z.strictObject({ fromMs: timeMs() }).meta({ id: "Replay" })),
      async (c) => {
        const { name } = c.req.valid("param");
        const isKnown = await webhooks?.replay(name, c.req.valid("json")) ?? false;
        return isKnown ? answer(c, doneSchema, { done: true }) : problem(c, "not-found");
      },
    );
}
