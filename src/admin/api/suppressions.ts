import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json, param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import type { ApiContext } from "./context.ts";
import { doneSchema, lineText, mailbox, pageQuery, timeMs } from "./schemas/fields.ts";

const suppressionsSchema = z.object({
  items: z.array(
    z.object({
      address: z.string(),
      reason: z.string(),
      source: z.string(),
      addedAtMs: timeMs(),
      expiresAtMs: timeMs().nullable(),
      unproven: z.literal(true).optional().describe(
        "Set if the report is unproven: every reader of a header of the message could have " +
          "forged it. It is listed for some days and does not suppress the recipient.",
      ),
    }).meta({ id: "Suppression" }),
  ),
  cursor: z.string().nullable(),
}).meta({ id: "Suppressions" });

const addSchema = z.strictObject({
  reason: lineText({ max: 200 }).default(""),
  expiresAtMs: timeMs().nullable().default(null),
}).meta({ id: "AddSuppression" });

const addressPath = z.strictObject({ address: mailbox() });

/** Recipients that get no mail. */
export function suppressionRoutes({ ports: { suppressions } }: ApiContext) {
  const tag = "Suppressions";
  return new Hono<AdminEnv>()
    .get(
      "/suppressions",
      operation({
        ...{ tag, id: "listSuppressions", role: "viewer", answer: suppressionsSchema },
        summary: "List suppressed recipients",
      }),
      query(z.strictObject({ ...pageQuery, text: lineText({ max: 320 }).optional() })),
      async (c) => {
        if (suppressions === undefined) return problem(c, "not-found");
        const { limit, cursor, text } = c.req.valid("query");
        const page = await suppressions.list({
          limit,
          ...(cursor === undefined ? {} : { cursor }),
          ...(text === undefined ? {} : { text }),
        });
        return answer(c, suppressionsSchema, page);
      },
    )
    .put(
      "/suppressions/:address",
      operation({
        ...{ tag, id: "addSuppression", role: "operator", answer: doneSchema },
        summary: "Suppress a recipient",
      }),
      param(addressPath),
      json(addSchema),
      async (c) => {
        if (suppressions === undefined) return problem(c, "not-found");
        const { address } = c.req.valid("param");
        const by = actorOf(c.get("caller"));
        await suppressions.add({ address, ...c.req.valid("json"), by });
        return answer(c, doneSchema, { done: true });
      },
    )
    .delete(
      "/suppressions/:address",
      operation({
        ...{ tag, id: "removeSuppression", role: "operator", answer: doneSchema },
        summary: "Remove a recipient from the suppression list",
      }),
      param(addressPath),
      async (c) => {
        const { address } = c.req.valid("param");
        const by = actorOf(c.get("caller"));
        if (!(await suppressions?.remove(address, { by }))) return problem(c, "not-found");
        return answer(c, doneSchema, { done: true });
      },
    );
}
