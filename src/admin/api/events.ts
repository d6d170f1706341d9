import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { eventView } from "../events/event_view.ts";
import { type EventFilter, fitsEvent } from "../events/filter.ts";
import { eventStream } from "../events/stream.ts";
import { answer } from "../http/answer.ts";
import { query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { EVENT_LEVELS } from "../../observe/event_level.ts";
import type { ApiContext } from "./context.ts";
import { lineText, listText, numberText, queueId, timeMs } from "./schemas/fields.ts";

const eventSchema = z.object({
  id: z.int().describe("Counts up by one; begins anew when the relay starts."),
  atMs: timeMs(),
  level: z.enum(EVENT_LEVELS),
  text: z.string().describe("The event in one line of plain English."),
  event: z.record(z.string(), z.unknown()).describe("Its own fields, `type` among them."),
}).meta({ id: "Event" });

const recentSchema = z.object({
  items: z.array(eventSchema).describe("Newest first."),
  lastId: z.int(),
}).meta({ id: "Events" });

const filterKeys = {
  type: listText(lineText({ max: 40 })).optional().describe("Types of events."),
  level: z.enum(EVENT_LEVELS).default("debug").describe("The least level."),
  message: queueId().optional().describe("Events of this message."),
  text: lineText({ max: 200 }).optional().describe("A part of the line, case ignored."),
};

const recentQuery = z.strictObject({
  ...filterKeys,
  limit: numberText({ min: 1, max: 1000 }).default(100),
  beforeId: numberText({ min: 1 }).optional(),
});

const streamQuery = z.strictObject({
  ...filterKeys,
  after: numberText().optional()
    .describe("Begin after this event, as Last-Event-ID does; without either, with news only."),
});

/** What happens, as it happens. */
export function eventRoutes({ ports: { events }, clock }: ApiContext) {
  const tag = "Events";
  return new Hono<AdminEnv>()
    .get(
      "/events",
      operation({
        ...{ tag, id: "streamEvents", role: "viewer", answer: ["text/event-stream"] },
        summary: "Events as they happen (server-sent events)",
        description: "Each has the type of the event, its id and JSON as in `/events/recent`. A " +
          "reader that comes back with Last-Event-ID gets what it missed, or an event `missed` " +
          "with the number of those that are no longer kept.",
      }),
      query(streamQuery),
      (c) => {
        const { after, ...wanted } = c.req.valid("query");
        const resumed = /^\d{1,15}$/.exec(c.req.header("last-event-id") ?? "")?.[0];
        const afterId = resumed === undefined ? after ?? events.lastId : Number(resumed);
        const body = eventStream(events, { afterId, clock, filter: filterOf(wanted) });
        return c.body(body, 200, {
          "content-type": "text/event-stream; charset=utf-8",
          "x-accel-buffering": "no", // nginx would keep events back otherwise
        });
      },
    )
    .get(
      "/events/recent",
      operation({
        ...{ tag, id: "listEvents", role: "viewer", answer: recentSchema },
        summary: "The last events",
      }),
      query(recentQuery),
      (c) => {
        const { limit, beforeId, ...wanted } = c.req.valid("query");
        const filter = filterOf(wanted);
        const kept = events.recent({
          limit: Number.MAX_SAFE_INTEGER,
          ...(beforeId === undefined ? {} : { beforeId }),
        });
        const items = kept.values().filter((event) => fitsEvent(event, filter))
          .take(limit).map(eventView).toArray();
        return answer(c, recentSchema, { items, lastId: events.lastId });
      },
    );
}

function filterOf(
  { type, level, message, text }: {
    type?: readonly string[] | undefined;
    level: EventFilter["level"];
    message?: string | undefined;
    text?: string | undefined;
  },
): EventFilter {
  return {
    level,
    ...(type === undefined ? {} : { types: type }),
    ...(message === undefined ? {} : { messageId: message }),
    ...(text === undefined ? {} : { text: text.toLowerCase() }),
  };
}
