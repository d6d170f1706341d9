import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { ROLES } from "../ports.ts";
import { RECIPIENT_STATES } from "../../queue/store.ts";
import { AGES_MS } from "../queue_by_domain.ts";
import type { ApiContext } from "./context.ts";
import { domainName, numberText, timeMs } from "./schemas/fields.ts";

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
      .describe("Earliest next attempt that is not running; in the past if it is overdue."),
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

const crowd = {
  recipients: z.int(),
  ages: z.array(z.int()).describe(
    "By age class, the youngest first; the last one is everything older.",
  ),
};
const reasons = z.array(z.object({
  state: z.enum(["queued", "held"]),
  reason: z.string()
    .describe(
      "Codes of the last reply; empty before the first attempt, `other` if it has no codes.",
    ),
  ...crowd,
}));
const shapeSchema = z.object({
  ...crowd,
  sinceMs: z.array(timeMs()).describe("Start of each age class, rounded to five minutes."),
  reasons,
  domainCount: z.int().describe("Including those beyond the limit."),
  domains: z.array(z.object({ domain: z.string(), ...crowd, reasons })),
}).meta({ id: "QueueShape" });

const shapeQuery = z.strictObject({
  domain: domainName().optional().describe("Only this domain."),
  limit: numberText({ min: 0, max: 1000 }).default(20).describe("Most domains to return."),
  ageMs: z.union([numberText({ min: 1 }), z.array(numberText({ min: 1 })).max(20)]).optional()
    .describe("Upper end of an age class; may be repeated."),
});

const callerSchema = z.object({
  kind: z.enum(["open", "key", "user"]),
  name: z.string(),
  role: z.enum(ROLES),
}).meta({ id: "Caller" });

/** How the relay is doing, in numbers. */
export function statusRoutes({ ports, clock }: ApiContext) {
  return new Hono<AdminEnv>()
    .get(
      "/status",
      operation({
        id: "getStatus",
        tag: "Status",
        summary: "Show version, queue and health",
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
        summary: "Show messages in and out by the minute",
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
      "/queue/shape",
      operation({
        id: "getQueueShape",
        tag: "Status",
        summary: "Count waiting recipients by domain, age and reason",
        description: "The counts are exact, also for long queues.",
        role: "viewer",
        answer: shapeSchema,
      }),
      query(shapeQuery),
      async (c) => {
        const { domain, limit, ageMs } = c.req.valid("query");
        const agesMs = ageMs === undefined ? AGES_MS : [ageMs].flat().sort((a, b) => a - b);
        const shape = await ports.queue.shape({
          ...{ nowMs: clock.now(), agesMs, limit },
          ...(domain === undefined ? {} : { domain }),
        });
        return answer(c, shapeSchema, shape);
      },
    )
    .get(
      "/me",
      operation({
        id: "getCaller",
        tag: "Access",
        summary: "Show the caller",
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
