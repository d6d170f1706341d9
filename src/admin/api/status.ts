import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { ROLES } from "../ports.ts";
import { RECIPIENT_STATES } from "../../queue/store.ts";
import type { ApiContext } from "./context.ts";
import { QueueAges } from "./queue_ages.ts";
import { numberText, timeMs } from "./schemas/fields.ts";

const checkSchema = z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })
  .meta({ id: "HealthCheck" });

const statusSchema = z.object({
  info: z.object({
    version: z.string(),
    hostname: z.string(),
    startedAtMs: timeMs(),
    configFile: z.string().nullable(),
    store: z.string(),
    listeners: z.array(z.object({
      name: z.string(),
      address: z.string(),
      port: z.int(),
      sessions: z.int(),
    })),
  }),
  nowMs: timeMs(),
  queue: z.object({
    recipients: z.record(z.enum(RECIPIENT_STATES), z.int()),
    liveMessages: z.int().describe("Messages with a recipient that is not final."),
    oldestReceivedAtMs: timeMs().nullable(),
    nextDueAtMs: timeMs().nullable()
      .describe("The earliest next attempt that nobody is at; in the past when it is overdue."),
  }),
  health: z.array(checkSchema),
}).meta({ id: "Status" });

const minuteSchema = z.object({
  startMs: timeMs(),
  accepted: z.int(),
  acceptedBytes: z.int(),
  refused: z.int(),
  delivered: z.int(),
  deferred: z.int(),
  bounced: z.int(),
}).meta({ id: "ActivityMinute" });
const activitySchema = z.object({ minutes: z.array(minuteSchema) }).meta({ id: "Activity" });

const agesSchema = z.object({
  countedAtMs: timeMs().describe("A long queue is not counted at every request."),
  buckets: z.array(z.object({
    maxAgeMs: z.int().nullable().describe("Null for everything older."),
    queued: z.int(),
    held: z.int(),
  })),
}).meta({ id: "QueueAges" });

const callerSchema = z.object({
  kind: z.enum(["open", "key", "user"]),
  name: z.string(),
  role: z.enum(ROLES),
}).meta({ id: "Caller" });

/** How the relay is doing, in numbers. */
export function statusRoutes({ ports, clock }: ApiContext) {
  const ages = new QueueAges(ports.queue);
  return new Hono<AdminEnv>()
    .get(
      "/status",
      operation({
        id: "getStatus",
        tag: "Status",
        summary: "What runs, what waits and whether all is well",
        role: "viewer",
        answer: statusSchema,
      }),
      async (c) => {
        const [queue, health] = await Promise.all([ports.queue.stats(), ports.health.check()]);
        const info = ports.info.read();
        return answer(c, statusSchema, { info, nowMs: clock.now(), queue, health });
      },
    )
    .get(
      "/activity",
      operation({
        id: "getActivity",
        tag: "Status",
        summary: "Messages in and out by the minute",
        role: "viewer",
        answer: activitySchema,
      }),
      query(z.strictObject({ minutes: numberText({ min: 1, max: 1440 }).default(60) })),
      (c) => {
        const { minutes } = c.req.valid("query");
        return answer(c, activitySchema, { minutes: ports.activity.read({ minutes }) });
      },
    )
    .get(
      "/queue/ages",
      operation({
        id: "getQueueAges",
        tag: "Status",
        summary: "Messages that wait, by state and age",
        role: "viewer",
        answer: agesSchema,
      }),
      async (c) => {
        return answer(c, agesSchema, await ages.count(clock.now()));
      },
    )
    .get(
      "/me",
      operation({
        id: "getCaller",
        tag: "Access",
        summary: "Who is asking",
        role: "viewer",
        answer: callerSchema,
      }),
      (c) => {
        const caller = c.get("caller");
        if (caller === null) throw new Error("A route with a role was run without a caller");
        return answer(c, callerSchema, caller);
      },
    );
}
