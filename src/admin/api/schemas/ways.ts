import { z } from "zod";
import { WAY_STATES } from "../../ports.ts";
import { lineText, timeMs } from "./fields.ts";

const wayState = z.enum(WAY_STATES)
  .describe("`probing`: it was down, and the next attempt tests it.");

const lastError = z.object({ text: z.string(), atMs: timeMs() }).nullable();

const pause = z.object({
  reason: z.string(),
  by: z.string(),
  sinceMs: timeMs(),
  untilMs: timeMs().nullable().describe("Null until an operator resumes it."),
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
    .describe("Recipients queued for this domain; null if it is not a domain."),
  waiting: z.int().describe("Those of them in the active queue that wait for their turn."),
  retryAtMs: timeMs().nullable(),
  lastError,
  lastSuccessAtMs: timeMs().nullable(),
  latency: z.object({
    medianMs: z.number(),
    p95Ms: z.number(),
    attempts: z.int().describe("Number of attempts it is based on."),
  }).nullable().describe("Duration of recent attempts; null before the first."),
  pause: pause.nullable(),
  shaping: z.object({
    limits: z.array(z.object({ rule: z.string(), limit: z.string() }))
      .describe("Limits of matching rules, as text."),
    learned: z.object({
      perMinute: z.number(),
      sinceMs: timeMs(),
      reason: z.string().describe("The reply."),
    }).nullable().describe("The current rate after throttling."),
    nextAtMs: timeMs().nullable().describe("When a limit allows the next attempt."),
  }),
}).meta({ id: "Destination" });

export const destinationsSchema = z.object({
  items: z.array(destination),
  total: z.int().describe("Number of matches, including those beyond the limit."),
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
  reason: lineText({ max: 200 }).default("").describe("Shown to other operators."),
  untilMs: timeMs().optional().describe("When it resumes automatically."),
  forMs: z.int().min(1000).max(366 * 86_400_000).optional()
    .describe(
      "The same as a duration from now; without either, it stays paused until an operator " +
        "resumes it.",
    ),
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
  problem: z.string().describe("Why it is unusable; empty if it is usable."),
  tlsa: z.int().nullable().describe(
    "TLSA records that DNSSEC authenticates, if they are used.",
  ),
  tls: z.string().describe("TLS requirement for connections, including MTA-STS and DANE."),
});

export const routeTraceSchema = z.object({
  checks: z.array(z.object({
    stage: z.enum(["connect", "ehlo", "mail", "rcpt"]),
    check: z.string(),
    about: z.string().describe("What the check looks at."),
    verdict: z.enum(["passes", "accepts", "refuses", "skipped"]),
    reply: z.string().describe("The reply of a refusal; empty for others."),
    cause: z.string().describe("What the log says beside the reply."),
  })).describe("Every check of the client, the sender and the recipient, in order."),
  route: z.string().nullable().describe("Null if no route matches."),
  mode: z.enum(["deliver", "hold", "capture", "redirect"]).nullable(),
  redirect: z.string().nullable().describe(
    "Mailbox that receives the mail instead of its recipient.",
  ),
  rawOnly: z.boolean().describe("Whether a message rather takes the next one than be changed."),
  transports: z.array(z.object({
    name: z.string(),
    kind: z.string(),
    format: z.string().nullable()
      .describe("Format in which a webhook gets messages; null for other kinds."),
    destination: z.string(),
    state: z.enum([...WAY_STATES, "unknown"]),
    reason: z.string(),
    weight: z.number().nullable().describe("How often it is tried first, relative to the others."),
    hosts: z.array(traceHost).describe("In the order of the DNS; none for an API."),
    tls: z.string().describe("TLS requirement for connections."),
    returnPath: z.string().describe(
      "Reverse-path of the mail; b-… for a return address of its own.",
    ),
    proxy: z.string().nullable().describe("Proxy for connections."),
    sourceAddresses: z.array(z.string())
      .describe("Source addresses of connections; empty if the system chooses."),
    limits: z.array(z.object({ rule: z.string(), limit: z.string() })),
  })).describe("In the order of attempts."),
  dkim: z.array(z.object({ domain: z.string(), selector: z.string(), algorithm: z.string() }))
    .describe("Keys that sign the message."),
  aliasOf: z.array(z.string())
    .describe("Members of the alias; empty if the recipient is not an alias."),
  suppressed: z.object({ reason: z.string(), source: z.string() }).nullable()
    .describe("Why the recipient is suppressed."),
  bounce: z.object({
    to: z.string().nullable().describe("Null if no notification is sent."),
    route: z.string().nullable(),
    mode: z.enum(["deliver", "hold", "capture", "redirect"]).nullable(),
    transports: z.array(z.string()),
  }).describe("Who is notified of a failure, and by which route."),
  steps: z.array(step).describe("Every rule that was checked, and why it matched or not."),
}).meta({ id: "RouteTrace" });
