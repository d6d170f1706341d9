import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../../env.ts";
import { json, param, query } from "../../http/input.ts";
import { operation } from "../../http/operation.ts";
import type { ApiContext } from "../context.ts";
import { messagePath } from "../messages.ts";
import {
  actionResultSchema,
  commanding,
  dryRunQuery,
  meantFields,
  runOnFilter,
  runOnOne,
} from "./run.ts";

const action = z.enum(["retry", "hold", "release", "cancel", "bounce", "delete"]);

const bodySchema = z.strictObject(meantFields).meta({ id: "ActionRequest" });

const DESCRIPTION =
  "`retry` makes queued recipients due now, `hold` holds them, `release` releases " +
  "held ones, `cancel` ends delivery without notifying the sender, `bounce` ends " +
  "delivery and notifies the sender, `delete` deletes whole messages. The timeline of " +
  "each message records the action and its author. With `dry_run` the request only " +
  "counts.";

/** Actions that need no more than a word. */
export function plainActionRoutes(context: ApiContext) {
  return new Hono<AdminEnv>()
    .post(
      "/messages/actions/:action",
      operation({
        id: "changeMessages",
        tag: "Actions",
        summary: "Act on all messages that match a filter",
        description: DESCRIPTION,
        role: "operator",
        answer: actionResultSchema,
      }),
      param(z.strictObject({ action })),
      query(dryRunQuery),
      json(bodySchema),
      (c) => {
        const { action } = c.req.valid("param");
        const dryRun = c.req.valid("query").dry_run;
        const perform = commanding(context, { kind: action });
        return runOnFilter(c, { context, action, dryRun, perform, meant: c.req.valid("json") });
      },
    )
    .post(
      "/messages/:id/actions/:action",
      operation({
        id: "changeMessage",
        tag: "Actions",
        summary: "Act on one message",
        description: DESCRIPTION,
        role: "operator",
        answer: actionResultSchema,
      }),
      param(messagePath.extend({ action })),
      query(dryRunQuery),
      (c) => {
        const { id, action } = c.req.valid("param");
        const dryRun = c.req.valid("query").dry_run;
        const perform = commanding(context, { kind: action });
        return runOnOne(c, { context, action, dryRun, perform, id });
      },
    );
}
