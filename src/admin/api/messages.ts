import { Hono } from "hono";
import { z } from "zod";
import { LIST_ORDERS } from "../../queue/store.ts";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import { COUNT_MS } from "./count_time.ts";
import type { ApiContext } from "./context.ts";
import { pageQuery, queueId } from "./schemas/fields.ts";
import { filterOf, filterQuery } from "./schemas/filter.ts";
import { messageCountSchema, messageDetailSchema, messagePageSchema } from "./schemas/messages.ts";

export const messagePath = z.strictObject({ id: queueId() });

const listOrder = z.enum(LIST_ORDERS).default("newest")
  .describe("A cursor continues in the order that it comes from.");

/** Lists and single messages. */
export function messageRoutes({ ports: { queue }, clock }: ApiContext) {
  return new Hono<AdminEnv>()
    .get(
      "/messages",
      operation({
        id: "listMessages",
        tag: "Messages",
        summary: "List messages",
        description:
          "Filters combine: a message is listed if all of them match. The order `next` lists " +
          "queued messages by their next attempt.",
        role: "viewer",
        answer: messagePageSchema,
      }),
      query(z.strictObject({ ...filterQuery, ...pageQuery, order: listOrder })),
      async (c) => {
        const { limit, cursor, order, ...filter } = c.req.valid("query");
        const page = await queue.list({
          filter: filterOf(filter, clock.now()),
          ...{ limit, order },
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
        summary: "Count the messages that match a filter",
        role: "viewer",
        answer: messageCountSchema,
      }),
      query(z.strictObject(filterQuery)),
      async (c) => {
        const filter = filterOf(c.req.valid("query"), clock.now());
        return answer(c, messageCountSchema, await queue.countWithin(filter, COUNT_MS));
      },
    )
    .get(
      "/messages/:id",
      operation({
        id: "getMessage",
        tag: "Messages",
        summary: "Show a message with its recipients and timeline",
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
