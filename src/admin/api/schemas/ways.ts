import { z } from "zod";
import { WAY_STATES } from "../../ports.ts";
import { lineText, timeMs } from "./fields.ts";

const wayState = z.enum(WAY_STATES)
  .describe("`probing`: it was down, and the next attempt finds out.");

const lastError = z.object({ text: z.string(), atMs: timeMs() }).nullable();

const pause = z.object({
  reason: z.string(),
  by: z.string(),
  sinceMs: timeMs(),
  untilMs: timeMs().nullable().describe("Null until somebody resumes it."),
}).meta({ id: "Pause" });

const destination = z.object({
  transport: z.string(),
  name: z.string(),
  isDomain: z.boolean().describe("Whether the name is a recipient domain."),
  state: wayState,
  concurrency: z.int(),
  maxConcurrency: z.int(),
  running: z.int(),
  queued: z.int().nullable()
    .describe("Recipients that wait in the queue for this domain; null where it is none."),
  waiting: z.int().describe("Attempts that wait for their turn now, of those queued."),
  retryAtMs: timeMs().nullable(),
  lastError,
  lastSuccessAtMs: timeMs().nullable(),
  latency: z.object({
    medianMs: z.number(),
    p95Ms: z.number(),
    attempts: z.int().describe("How many attempts that says."),
  }).nullable().describe("What the last attempts took; null before the first."),
  pause: pause.nullable(),
  shaping: z.object({
    limits: z.array(z.object({ rule: z.string(), limit: z.string() }))
      .describe("What rules of the configuration allow, in words."),
    learned: z.object({
      perMinute: z.number(),
      sinceMs: timeMs(),
      reason: z.string().describe("What it answered."),
    }).nullable().describe("The pace that it taught by asking for less."),
    nextAtMs: timeMs().nullable().describe("When a limit lets the next attempt begin."),
  }),
}).meta({ id: "Destination" });

export const destinationsSchema = z.object({
  items: z.array(destination),
  total: z.int().describe("How many fit, also those beyond the limit."),
  paused: z.array(z.object({ domain: z.string(), pause })),
}).meta({ id: "Destinations" });

const transport = z.object({
  name: z.string(),
  kind: z.string(),
  state: wayState,
  retryAtMs: timeMs().nullable(),
  lastError,
  lastSuccessAtMs: timeMs().nullable(),
  pause: pause.nullable(),
  running: z.int(),
  waiting: z.int(),
  destinations: z.int(),
  destinationsDown: z.int(),
  outcomes: z.object({
    delivered: z.int(),
    deferred: z.int(),
    bounced: z.int(),
    uncertain: z.int(),
  }).describe("Since the start."),
  routes: z.array(z.string()),
}).meta({ id: "Transport" });

export const transportsSchema = z.object({ items: z.array(transport) })
  .meta({ id: "Transports" });

/** Why, and until when, something is paused. */
export const pauseSchema = z.strictObject({
  reason: lineText({ max: 200 }).default("").describe("For colleagues."),
  untilMs: timeMs().optional().describe("When it resumes by itself."),
  forMs: z.int().min(1000).max(366 * 86_400_000).optional()
    .describe("The same, from now; without either it is paused until somebody resumes it."),
}).meta({ id: "PauseRequest" });

/** The end of a pause; null without one. */
export function pauseEndMs(
  { untilMs, forMs }: z.output<typeof pauseSchema>,
  nowMs: number,
): number | null {
  if (untilMs !== undefined) return untilMs;
  return forMs === undefined ? null : nowMs + forMs;
}

const step = z.object({ route: z.string(), fits: z.boolean(), reason: z.string() });

export const routesSchema = z.object({
  items: z.array(z.object({
    name: z.string(),
    match: z.record(z.string(), z.array(z.string())),
    transports: z.array(z.string()),
  })),
}).meta({ id: "Routes" });

const traceHost = z.object({
  host: z.string(),
  port: z.int().describe("0 for a Unix socket."),
  preference: z.int().nullable().describe("Of its MX record."),
  addresses: z.array(z.string()),
  problem: z.string().describe("Why it cannot be used; empty when it can."),
  tlsa: z.int().nullable().describe(
    "TLSA records that DNSSEC vouches for, where they are asked for.",
  ),
  tls: z.string().describe("What connections to it must come to, MTA-STS and DANE included."),
});

export const routeTraceSchema = z.object({
  route: z.string().nullable().describe("Null when no route fits."),
  mode: z.enum(["deliver", "hold", "capture", "redirect"]).nullable(),
  redirect: z.string().nullable().describe("Who gets the mail in place of its recipient."),
  rawOnly: z.boolean().describe("Whether a message rather takes the next one than be changed."),
  transports: z.array(z.object({
    name: z.string(),
    kind: z.string(),
    destination: z.string(),
    state: z.enum([...WAY_STATES, "unknown"]),
    reason: z.string(),
    weight: z.number().nullable().describe("How often it comes first among the others."),
    hosts: z.array(traceHost).describe("As the DNS has them; none for an API."),
    tls: z.string().describe("What is asked of connections."),
    returnPath: z.string().describe("The reverse-path it leaves from; b-… for one of its own."),
    proxy: z.string().nullable().describe("The proxy that connections go through."),
    sourceAddresses: z.array(z.string())
      .describe("Where connections come from; empty where the system chooses."),
    limits: z.array(z.object({ rule: z.string(), limit: z.string() })),
  })).describe("In the order in which they are tried."),
  dkim: z.array(z.object({ domain: z.string(), selector: z.string(), algorithm: z.string() }))
    .describe("Keys that would sign the message."),
  aliasOf: z.array(z.string())
    .describe("Who gets mail for the recipient in its place; empty where it is no alias."),
  suppressed: z.object({ reason: z.string(), source: z.string() }).nullable()
    .describe("Why the recipient gets no mail."),
  bounce: z.object({
    to: z.string().nullable().describe("Null when nobody is told."),
    route: z.string().nullable(),
    mode: z.enum(["deliver", "hold", "capture", "redirect"]).nullable(),
    transports: z.array(z.string()),
  }).describe("Who is told when it cannot be delivered, and which way that takes."),
  steps: z.array(step).describe("Every rule that was looked at, and why it did or did not fit."),
}).meta({ id: "RouteTrace" });
