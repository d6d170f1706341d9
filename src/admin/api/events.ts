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
  id: z.int().describe("Increases by one; starts again when the relay starts."),
  atMs: timeMs(),
  level: z.enum(EVENT_LEVELS),
  text: z.string().describe("The event as one line of text."),
  event: z.record(z.string(), z.unknown()).describe("Fields of the event, including `type`."),
}).meta({ id: "Event" });

const recentSchema = z.object({
  items: z.array(eventSchema).describe("Newest first."),
  lastId: z.int(),
}).meta({ id: "Events" });

const filterKeys = {
  type: listText(lineText({ max: 40 })).optional().describe("Event types."),
  level: z.enum(EVENT_LEVELS).default("debug").describe("Lowest level."),
  message: queueId().optional().describe("Events of this message."),
  text: lineText({ max: 200 }).optional().describe("Part of the line, case-insensitive."),
};

const recentQuery = z.strictObject({
  ...filterKeys,
  limit: numberText({ min: 1, max: 1000 }).default(100),
  beforeId: numberText({ min: 1 }).optional(),
});

const streamQuery = z.strictObject({
  ...filterKeys,
  after: numberText().optional()
    .describe(
      "Start after this event, like Last-Event-ID; without either, only new events are sent.",
    ),
});

/** What happens, as it happens. */
export function eventRoutes({ ports: { events }, clock }: ApiContext) {
  const tag = "Events";
  return new Hono<AdminEnv>()
    .get(
      "/events",
      operation({
        ...{ tag, id: "streamEvents", role: "viewer", answer: ["text/event-stream"] },
        summary: "Stream events (server-sent events)",
        description:
          "Each event has a type, an id and JSON as in `/events/recent`. A reader that " +
          "reconnects with Last-Event-ID gets the missed events, or an event `missed` with the " +
          "number of events that are no longer available.",
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
        summary: "List the latest events",
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
