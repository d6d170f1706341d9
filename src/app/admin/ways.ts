import type {
  DestinationsPort,
  DestinationStatus,
  OperatorPause,
  TransportsPort,
  TransportStatus,
  WayState,
} from "../../admin/ports.ts";
import type { CircuitState } from "../../delivery/circuit.ts";
import type { Destination } from "../../delivery/destination.ts";
import type { Job } from "../../delivery/job.ts";
import { limitWords } from "../../delivery/shaping/words.ts";
import type { Transport } from "../../delivery/transport.ts";
import type { RelayParts } from "./parts.ts";
import { putTestMessage } from "./test_message.ts";
import type { WayPast } from "./way_history.ts";

/** Destinations of the scheduler, for the admin API. */
export function destinationsPort(parts: RelayParts): DestinationsPort {
  const { scheduler, pauses, clock, events } = parts;
  return {
    list: () => {
      const active = [...scheduler.destinations].map((one) => destinationStatus(one, parts));
      return [...active, ...recentDestinations(active, parts)];
    },
    paused: () => pauses.pauses.domains.all(clock.now()),
    async pause(domain, { reason, by, untilMs }) {
      await pauses.pause("domains", domain, { reason, by, untilMs, sinceMs: clock.now() });
      events({ type: "operated", by, action: "paused", target: `mail for ${domain}`, reason });
      scheduler.lookAgain();
    },
    async resume(domain, { by }) {
      if (!(await pauses.resume("domains", domain))) return false;
      events({ type: "operated", by, action: "resumed", target: `mail for ${domain}` });
      await makeDue(parts, { domains: new Set([domain]), by });
      scheduler.lookAgain();
      return true;
    },
    async flush(domain, { by }) {
      const messages = await makeDue(parts, { domains: new Set([domain]), by });
      events({ type: "operated", by, action: "flushed", target: `mail for ${domain}` });
      scheduler.probe({ domain });
      return messages;
    },
  };
}

/** Transports of the configuration, for the admin API. */
export function transportsPort(parts: RelayParts): TransportsPort {
  const { scheduler, pauses, clock, events } = parts;
  const lookAgainFor = async (name: string, by: string): Promise<void> => {
    await makeDue(parts, { domains: scheduler.takePutOffDomains(name), by });
    scheduler.lookAgain();
  };
  return {
    list: () => [...parts.transports().values()].map((one) => transportStatus(one, parts)),
    async pause(name, { reason, by, untilMs }) {
      await pauses.pause("transports", name, { reason, by, untilMs, sinceMs: clock.now() });
      events({ type: "operated", by, action: "paused", target: `transport ${name}`, reason });
      scheduler.lookAgain();
    },
    async resume(name, { by }) {
      if (!(await pauses.resume("transports", name))) return false;
      events({ type: "operated", by, action: "resumed", target: `transport ${name}` });
      await lookAgainFor(name, by);
      return true;
    },
    async reset(name, { by }) {
      const transport = parts.transports().get(name);
      if (transport === undefined) return;
      events({ type: "operated", by, action: "reset", target: `transport ${name}` });
      scheduler.probe({ transport });
      await lookAgainFor(name, by);
    },
    async test(name, request) {
      const { hostname } = parts.config();
      const result = await putTestMessage(name, {
        ...{ ...request, hostname },
        services: parts.newMail(),
      });
      if (result.kind === "refused") return result;
      const { by, to } = request;
      const reason = `to ${to}, as ${result.id}`;
      events({ type: "operated", by, action: "tested", target: `transport ${name}`, reason });
      scheduler.lookAgain();
      return result;
    },
  };
}

/** Makes the queued mail for some domains due now; returns how many messages it was. */
async function makeDue(
  { store, clock }: RelayParts,
  { domains, by }: { domains: ReadonlySet<string> | "all"; by: string },
): Promise<number> {
  const request = { command: { kind: "retry" }, nowMs: clock.now(), by } as const;
  const queued = { states: ["queued"] } as const;
  if (domains === "all") return await store.command({ ...request, filter: queued });
  let messages = 0;
  for (const domain of domains) {
    messages += await store.command({ ...request, filter: { ...queued, domain } });
  }
  return messages;
}

function destinationStatus(
  destination: Destination<Job>,
  { clock, history, pauses }: RelayParts,
): DestinationStatus {
  const { transport, name } = destination;
  const nowMs = clock.now();
  const isDomain = transport.sharedDestination === undefined;
  const pause = isDomain ? pauses.pauses.domains.get(name, nowMs) : null;
  const state = destination.state(nowMs);
  return {
    transport: transport.name,
    ...{ name, isDomain, pause },
    ...wayState(state, pause ?? pauses.pauses.transports.get(transport.name, nowMs)),
    concurrency: destination.concurrency,
    maxConcurrency: transport.maxConcurrency,
    running: destination.running,
    waiting: destination.waiting.length,
    shaping: shapingOf(destination, nowMs),
    ...withLimit(history.destination(transport.name, name), destination),
  };
}

/** A past with the last limit that was met, if it is the last thing that went wrong. */
function withLimit<Past extends WayPast>(
  past: Past,
  destination: Destination<Job> | undefined,
): Past {
  const limit = destination?.lastLimit ?? null;
  if (limit === null || limit.atMs <= (past.lastError?.atMs ?? 0)) return past;
  return { ...past, lastError: limit };
}

const UNSHAPED: DestinationStatus["shaping"] = { limits: [], learned: null, nextAtMs: null };

function shapingOf(destination: Destination<Job>, nowMs: number): DestinationStatus["shaping"] {
  const view = destination.gate?.view(nowMs);
  const restUntilMs = destination.restUntilMs(nowMs);
  const rests = restUntilMs > nowMs && restUntilMs !== Infinity;
  return {
    limits: (view?.rules ?? []).flatMap(({ name: rule, limits }) =>
      limitWords(limits, nowMs).map((limit) => ({ rule, limit }))
    ),
    learned: view?.learned ?? null,
    nextAtMs: rests ? restUntilMs : null,
  };
}

/** How long a destination is shown that the scheduler needs no longer. */
const RECENT_MS = 10 * 60_000;

/** Destinations that nothing goes to now, and that are well as far as is known. */
function* recentDestinations(
  active: readonly DestinationStatus[],
  { transports, history, pauses, clock, config }: RelayParts,
): Generator<DestinationStatus> {
  const nowMs = clock.now();
  const known = new Set(active.map(({ transport, name }) => `${transport}\0${name}`));
  for (const transport of transports().values()) {
    const isDomain = transport.sharedDestination === undefined;
    for (const name of history.recent(transport.name, nowMs - RECENT_MS)) {
      if (name === "*" || known.has(`${transport.name}\0${name}`)) continue;
      const pause = isDomain ? pauses.pauses.domains.get(name, nowMs) : null;
      yield {
        ...{ transport: transport.name, name, isDomain, pause, running: 0, waiting: 0 },
        ...wayState({ kind: "up" }, pause ?? pauses.pauses.transports.get(transport.name, nowMs)),
        concurrency: config().delivery.initialConcurrency,
        maxConcurrency: transport.maxConcurrency,
        shaping: UNSHAPED,
        ...history.destination(transport.name, name),
      };
    }
  }
}

function transportStatus(
  transport: Transport,
  { scheduler, clock, history, pauses, config }: RelayParts,
): TransportStatus {
  const { name, kind } = transport;
  const nowMs = clock.now();
  const pause = pauses.pauses.transports.get(name, nowMs);
  const own = [...scheduler.destinations].filter((one) => one.transport === transport);
  const sum = (count: (destination: Destination<Job>) => number): number =>
    own.reduce((total, destination) => total + count(destination), 0);
  // A transport with one destination is as well as that one is.
  const [only] = transport.sharedDestination === undefined ? [] : own;
  return {
    ...{ name, kind, pause },
    ...wayState(only?.state(nowMs) ?? scheduler.transportState(transport), pause),
    ...withLimit(history.transport(name), only),
    running: sum(({ running }) => running),
    waiting: sum(({ waiting }) => waiting.length),
    destinations: own.length,
    destinationsDown: sum(({ circuit }) => circuit.isUp ? 0 : 1),
    outcomes: history.outcomes(name),
    routes: config().routes.filter(({ transports }) => transports.includes(name))
      .map((route) => route.name),
  };
}

/** What users see of a circuit. */
export function wayState(
  state: CircuitState,
  pause: OperatorPause | null,
): { readonly state: WayState; readonly retryAtMs: number | null } {
  if (pause !== null) return { state: "paused", retryAtMs: pause.untilMs };
  return { state: state.kind, retryAtMs: state.kind === "down" ? state.untilMs : null };
}
