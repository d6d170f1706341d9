import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import { countWithin } from "./bounded_count.ts";
import type { ApiContext } from "./context.ts";
import { pageQuery, queueId } from "./schemas/fields.ts";
import { filterOf, filterQuery } from "./schemas/filter.ts";
import { messageCountSchema, messageDetailSchema, messagePageSchema } from "./schemas/messages.ts";

export const messagePath = z.strictObject({ id: queueId() });

/** Lists and single messages. */
export function messageRoutes({ ports: { queue }, clock }: ApiContext) {
  return new Hono<AdminEnv>()
    .get(
      "/messages",
      operation({
        id: "listMessages",
        tag: "Messages",
        summary: "List messages, newest first",
        description: "Filters combine: a message is listed when all that are given fit.",
        role: "viewer",
        answer: messagePageSchema,
      }),
      query(z.strictObject({ ...filterQuery, ...pageQuery })),
      async (c) => {
        const { limit, cursor, ...filter } = c.req.valid("query");
        const page = await queue.list({
          filter: filterOf(filter, clock.now()),
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        });
        return answer(c, messagePageSchema, page);
      },
    )
    .get(
      "/messages/count",
      operation({
        id: "countMessages",
        tag: "Messages",
        summary: "Count the messages that fit a filter",
        role: "viewer",
        answer: messageCountSchema,
      }),
      query(z.strictObject(filterQuery)),
      async (c) => {
        const filter = filterOf(c.req.valid("query"), clock.now());
        return answer(c, messageCountSchema, await countWithin({ queue, clock }, filter));
      },
    )
    .get(
      "/messages/:id",
      operation({
        id: "getMessage",
        tag: "Messages",
        summary: "Show a message with its recipients and its timeline",
        role: "viewer",
        answer: messageDetailSchema,
      }),
      param(messagePath),
      async (c) => {
        const detail = await queue.get(c.req.valid("param").id);
        if (detail === null) return problem(c, "not-found");
        return answer(c, messageDetailSchema, detail);
      },
    );
}
