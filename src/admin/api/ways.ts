import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json, param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import { type DestinationStatus, WAY_STATES } from "../ports.ts";
import { queuedFor } from "../queue_by_domain.ts";
import type { ApiContext } from "./context.ts";
import {
  domainName,
  doneSchema,
  lineText,
  listText,
  mailbox,
  numberText,
} from "./schemas/fields.ts";
import {
  destinationsSchema,
  pauseEndMs,
  pauseSchema,
  routesSchema,
  routeTraceSchema,
  transportsSchema,
} from "./schemas/ways.ts";

const flushSchema = z.object({ messages: z.int().describe("Messages that became due.") })
  .meta({ id: "Flushed" });

const testSchema = z.strictObject({
  to: mailbox().describe("Recipient."),
  from: mailbox().optional().describe("Author. Default: the relay's postmaster."),
}).meta({ id: "TestRequest" });
const testedSchema = z.object({ id: z.string().describe("Queue id of the message.") })
  .meta({ id: "Tested" });

const domainPath = z.strictObject({ domain: domainName() });
const transportPath = z.strictObject({ name: lineText({ max: 100 }) });

const destinationQuery = z.strictObject({
  state: listText(z.enum(WAY_STATES)).optional(),
  transport: lineText({ max: 100 }).optional(),
  text: lineText({ max: 255 }).optional().describe("Part of the name."),
  limit: numberText({ min: 1, max: 1000 }).default(100),
});

/** Where mail goes and what is done about it. */
export function destinationRoutes({ ports: { destinations, queue }, clock }: ApiContext) {
  const tag = "Destinations";
  return new Hono<AdminEnv>()
    .get(
      "/destinations",
      operation({
        ...{ tag, id: "listDestinations", role: "viewer", answer: destinationsSchema },
        summary: "List destinations in use or with problems, problems first",
      }),
      query(destinationQuery),
      async (c) => {
        const { limit, ...wanted } = c.req.valid("query");
        const found = destinations.list().filter((one) => fits(one, wanted)).sort(worstFirst);
        const paused = [...destinations.paused()].map(([domain, pause]) => ({ domain, pause }));
        const shown = found.slice(0, limit);
        const nowMs = clock.now();
        const queued = await queuedFor(queue, { destinations: shown, nowMs });
        const items = shown.map((one) => ({ ...one, queued: queued(one) }));
        return answer(c, destinationsSchema, { items, total: found.length, paused });
      },
    )
    .post(
      "/destinations/:domain/pause",
      operation({
        ...{ tag, id: "pauseDestination", role: "operator", answer: doneSchema },
        summary: "Pause a domain: its mail waits in the queue",
      }),
      param(domainPath),
      json(pauseSchema),
      async (c) => {
        const request = c.req.valid("json");
        const untilMs = pauseEndMs(request, clock.now());
        const by = actorOf(c.get("caller"));
        const { domain } = c.req.valid("param");
        await destinations.pause(domain, { reason: request.reason, by, untilMs });
        return answer(c, doneSchema, { done: true });
      },
    )
    .post(
      "/destinations/:domain/resume",
      operation({
        ...{ tag, id: "resumeDestination", role: "operator", answer: doneSchema },
        summary: "Resume a domain; waiting mail is due now",
      }),
      param(domainPath),
      async (c) => {
        const by = actorOf(c.get("caller"));
        const isDone = await destinations.resume(c.req.valid("param").domain, { by });
        if (!isDone) return problem(c, "conflict", { detail: "It is not paused." });
        return answer(c, doneSchema, { done: true });
      },
    )
    .post(
      "/destinations/:domain/flush",
      operation({
        ...{ tag, id: "flushDestination", role: "operator", answer: flushSchema },
        summary: "Retry all mail for a domain now",
      }),
      param(domainPath),
      async (c) => {
        const by = actorOf(c.get("caller"));
        const messages = await destinations.flush(c.req.valid("param").domain, { by });
        return answer(c, flushSchema, { messages });
      },
    );
}

/** The transports. */
export function transportRoutes({ ports: { transports }, clock }: ApiContext) {
  const tag = "Transports";
  const isKnown = (name: string): boolean => transports.list().some((one) => one.name === name);
  return new Hono<AdminEnv>()
    .get(
      "/transports",
      operation({
        ...{ tag, id: "listTransports", role: "viewer", answer: transportsSchema },
        summary: "List transports and their state",
      }),
      (c) => answer(c, transportsSchema, { items: transports.list() }),
    )
    .post(
      "/transports/:name/pause",
      operation({
        ...{ tag, id: "pauseTransport", role: "operator", answer: doneSchema },
        summary: "Pause a transport: mail takes the next one of its route, or waits",
      }),
      param(transportPath),
      json(pauseSchema),
      async (c) => {
        const { name } = c.req.valid("param");
        if (!isKnown(name)) return problem(c, "not-found");
        const request = c.req.valid("json");
        const untilMs = pauseEndMs(request, clock.now());
        const by = actorOf(c.get("caller"));
        await transports.pause(name, { reason: request.reason, by, untilMs });
        return answer(c, doneSchema, { done: true });
      },
    )
    .post(
      "/transports/:name/resume",
      operation({
        ...{ tag, id: "resumeTransport", role: "operator", answer: doneSchema },
        summary: "Resume a transport",
      }),
      param(transportPath),
      async (c) => {
        const { name } = c.req.valid("param");
        if (!isKnown(name)) return problem(c, "not-found");
        const isDone = await transports.resume(name, { by: actorOf(c.get("caller")) });
        if (!isDone) return problem(c, "conflict", { detail: "It is not paused." });
        return answer(c, doneSchema, { done: true });
      },
    )
    .post(
      "/transports/:name/reset",
      operation({
        ...{ tag, id: "resetTransport", role: "operator", answer: doneSchema },
        summary: "Clear the failures of a transport and its destinations",
      }),
      param(transportPath),
      async (c) => {
        const { name } = c.req.valid("param");
        if (!isKnown(name)) return problem(c, "not-found");
        await transports.reset(name, { by: actorOf(c.get("caller")) });
        return answer(c, doneSchema, { done: true });
      },
    )
    .post(
      "/transports/:name/test",
      operation({
        ...{ tag, id: "testTransport", role: "operator", status: 201, answer: testedSchema },
        summary: "Send a test message by a transport, regardless of the routes",
        description: "The message shows the result. It expires after an hour.",
      }),
      param(transportPath),
      json(testSchema),
      async (c) => {
        const { name } = c.req.valid("param");
        if (!isKnown(name)) return problem(c, "not-found");
        const { to, from } = c.req.valid("json");
        const by = actorOf(c.get("caller"));
        const request = { to, by, ...(from === undefined ? {} : { from }) };
        const result = await transports.test(name, request);
        if (result.kind === "queued") return answer(c, testedSchema, { id: result.id }, 201);
        return problem(c, "refused", { detail: result.reason });
      },
    );
}

const explainQuery = z.strictObject({
  to: mailbox().describe("Mailbox of the recipient."),
  from: z.union([z.literal(""), mailbox()]).default("")
    .describe("Reverse-path; empty for the null one."),
  listener: lineText({ max: 100 }).optional(),
  user: lineText({ max: 256 }).optional(),
  client: z.union([z.ipv4(), z.ipv6()]).optional()
    .describe("IP address of the client; 127.0.0.1 where absent."),
  size: z.coerce.number().int().min(0).optional().describe("Size of the message in octets."),
  priority: z.coerce.number().int().min(-9).max(9).optional(),
  header: z.union([lineText({ max: 998 }), z.array(lineText({ max: 998 })).max(50)]).optional()
    .describe("`Name: value` of a header field; may be repeated."),
});

/** The rules by which mail finds its way. */
export function routeRoutes({ ports: { routes } }: ApiContext) {
  const tag = "Routes";
  return new Hono<AdminEnv>()
    .get(
      "/routes",
      operation({
        ...{ tag, id: "listRoutes", role: "viewer", answer: routesSchema },
        summary: "List routes in order; the first match wins",
      }),
      (c) => answer(c, routesSchema, { items: routes.list() }),
    )
    .get(
      "/routes/explain",
      operation({
        ...{ tag, id: "explainRoute", role: "viewer", answer: routeTraceSchema },
        summary: "Show the route of a message and its reasons, with DNS answers",
      }),
      query(explainQuery),
      async (c) => {
        const { to, from, listener, user, client, size, priority, header } = c.req.valid("query");
        const question = {
          ...{ to, from, headers: headersOf(header) },
          ...(listener === undefined ? {} : { listener }),
          ...(user === undefined ? {} : { user }),
          ...(client === undefined ? {} : { client }),
          ...(size === undefined ? {} : { sizeBytes: size }),
          ...(priority === undefined ? {} : { priority }),
        };
        return answer(c, routeTraceSchema, await routes.trace(question));
      },
    );
}

/** Values of header fields by name in lower case. */
function headersOf(lines: string | readonly string[] = []): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of [lines].flat()) {
    const at = line.indexOf(":");
    const name = line.slice(0, Math.max(0, at)).trim().toLowerCase();
    if (name !== "") (headers[name] ??= []).push(line.slice(at + 1).trim());
  }
  return headers;
}

function fits(
  { state, transport, name }: DestinationStatus,
  wanted: Omit<z.output<typeof destinationQuery>, "limit">,
): boolean {
  return (wanted.state === undefined || wanted.state.includes(state)) &&
    (wanted.transport === undefined || wanted.transport === transport) &&
    (wanted.text === undefined || name.includes(wanted.text.toLowerCase()));
}

const BADNESS = { down: 0, probing: 1, paused: 2, up: 3 } as const;

function worstFirst(a: DestinationStatus, b: DestinationStatus): number {
  return BADNESS[a.state] - BADNESS[b.state] || b.waiting - a.waiting ||
    (a.name < b.name ? -1 : 1);
}
