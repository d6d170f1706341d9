import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../../env.ts";
import { answer } from "../../http/answer.ts";
import { json, param, query } from "../../http/input.ts";
import { operation } from "../../http/operation.ts";
import { problem } from "../../http/problem.ts";
import type { SendAgainChanges } from "../../ports.ts";
import type { ApiContext } from "../context.ts";
import { messagePath } from "../messages.ts";
import { lineText, mailbox } from "../schemas/fields.ts";
import { actionResultSchema, dryRunQuery, meantFields, runOnFilter } from "./run.ts";

const changeFields = {
  recipients: z.array(mailbox()).min(1).max(1000).optional()
    .describe("Recipients. Default: those not reached."),
  reverse_path: z.union([z.literal(""), mailbox()]).optional()
    .describe("Another reverse-path; empty for the null reverse-path."),
  route: lineText({ max: 100 }).optional()
    .describe("Name of the route to use, regardless of its match."),
  transport: lineText({ max: 100 }).min(1).optional()
    .describe("Name of the transport to use, regardless of the routes."),
};

const oneSchema = z.strictObject({
  ...changeFields,
  message: z.base64().optional()
    .describe("The edited message, in base64."),
}).meta({ id: "SendAgainRequest" });
const manySchema = z.strictObject({ ...meantFields, ...changeFields })
  .meta({ id: "SendManyAgainRequest" });

const sentAgainSchema = z.object({
  id: z.string().describe("Queue id of the new message."),
  recipients: z.int(),
}).meta({ id: "SentAgain" });

const DESCRIPTION =
  "Failed messages are kept with their content for `queue.keep_failed`. The timelines of " +
  "the new message and the old one refer to each other.";

/** Puts messages into the queue once more. */
export function sendAgainRoutes(context: ApiContext) {
  const { ports: { queue } } = context;
  return new Hono<AdminEnv>()
    .post(
      "/messages/actions/send-again",
      operation({
        ...{ id: "sendMessagesAgain", tag: "Actions", role: "operator" },
        summary: "Send all failed messages that match a filter again",
        description: `${DESCRIPTION} Messages without content stay unchanged.`,
        answer: actionResultSchema,
      }),
      query(dryRunQuery),
      json(manySchema),
      (c) => {
        const { filter, all, ...input } = c.req.valid("json");
        return runOnFilter(c, {
          ...{ context, action: "send-again", meant: { filter, all } },
          dryRun: c.req.valid("query").dry_run,
          perform: async (request) =>
            (await queue.sendAllAgain({ ...request, ...changesOf(input) })).sent,
        });
      },
    )
    .post(
      "/messages/:id/send-again",
      operation({
        ...{ id: "sendMessageAgain", tag: "Actions", role: "operator", answer: sentAgainSchema },
        summary: "Send a failed message again, as a new one",
        description: DESCRIPTION,
      }),
      param(messagePath),
      json(oneSchema),
      async (c) => {
        const { id } = c.req.valid("param");
        if (await queue.get(id) === null) return problem(c, "not-found");
        const { message, ...input } = c.req.valid("json");
        const result = await queue.sendAgain({
          ...{ id, by: actorOf(c.get("caller")), ...changesOf(input) },
          ...(message === undefined ? {} : { message: Uint8Array.fromBase64(message) }),
        });
        if (result.kind === "queued") {
          return answer(c, sentAgainSchema, { id: result.id, recipients: result.recipients });
        }
        return problem(c, "conflict", {
          detail: `Cannot send the message again: ${result.reason}.`,
        });
      },
    );
}

type ChangeInput = {
  readonly [Key in keyof typeof changeFields]?: z.output<typeof changeFields[Key]>;
};

function changesOf(
  { recipients, reverse_path: reversePath, route, transport }: ChangeInput,
): SendAgainChanges {
  return {
    ...(recipients === undefined ? {} : { recipients }),
    ...(reversePath === undefined ? {} : { reversePath }),
    ...(route === undefined ? {} : { route }),
    ...(transport === undefined ? {} : { transport }),
  };
}
