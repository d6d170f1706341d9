import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { type QueuePort, ROLES } from "../ports.ts";
import { RECIPIENT_STATES } from "../../queue/store.ts";
import type { ApiContext } from "./context.ts";
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

const MINUTE_MS = 60_000;
/** Upper ends of the age classes of waiting mail. */
const AGES_MS = [5, 30, 120, 480, 1440].map((minutes) => minutes * MINUTE_MS);

/** How the relay is doing, in numbers. */
export function statusRoutes({ ports, clock }: ApiContext) {
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
        const buckets = await queueAges(ports.queue, clock.now());
        return answer(c, agesSchema, { buckets });
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

/** How many messages wait in each age class, the youngest first. */
export async function queueAges(
  queue: Pick<QueuePort, "count">,
  nowMs: number,
): Promise<{ maxAgeMs: number | null; queued: number; held: number }[]> {
  const edges = [0, ...AGES_MS];
  return await Promise.all(edges.map(async (minAgeMs, index) => {
    const maxAgeMs = edges[index + 1] ?? null;
    const filter = {
      ...(minAgeMs === 0 ? {} : { receivedBeforeMs: nowMs - minAgeMs }),
      ...(maxAgeMs === null ? {} : { receivedAfterMs: nowMs - maxAgeMs - 1 }),
    };
    const [queued, held] = await Promise.all([
      queue.count({ ...filter, states: ["queued"] }),
      queue.count({ ...filter, states: ["held"] }),
    ]);
    return { maxAgeMs, queued, held };
  }));
}
