import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { ListenError } from "../net/listener.ts";

/** Connections that a listener may hold above its cap, to say 421 to them. */
export const CONNECTIONS_TO_REFUSE = 32;

/** For the runtime, the store, logs, questions to the DNS, certificates and what has no cap. */
const RESERVED = 96;
/** Below this no door is of use. */
const LEAST_CONNECTIONS = 4;
/** A session or an attempt holds its socket and, with a large message, its spool file. */
const OF_A_SESSION = 2;

/**
 * Counts how many files the process can still open, by opening them: the limit itself
 * (`/proc/self/limits`, getrlimit(2)) is out of reach of the permissions that the relay runs with.
 *
 * @param most where to stop; a result of that size means at least so many.
 */
export function countDescriptors(most: number): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < most) files.push(Deno.openSync("."));
    return most;
  } catch {
    // Where the folder cannot be opened at all, nothing is known.
    return files.length === 0 ? Infinity : files.length;
  } finally {
    for (const file of files) file.close();
  }
}

/** How many descriptors a configuration may need at the same time. */
export function descriptorsNeeded(config: Config): number {
  return reserved(config) + flexible(config);
}

/**
 * Holds the caps of a configuration to the descriptors that there are, so that they cannot run
 * out: what needs one then and gets none may end the process. Says so once when it has to.
 *
 * @throws ListenError when there are too few to be of use.
 */
export class DescriptorBudget {
  readonly #available: number;
  readonly #events: EventSink;

  constructor(available: number, events: EventSink) {
    this.#available = available;
    this.#events = events;
  }

  /** The configuration with caps that fit. */
  fit(config: Config): Config {
    const needed = descriptorsNeeded(config);
    if (needed <= this.#available) return config;
    const share = (this.#available - reserved(config)) / flexible(config);
    const lowered = lower(config, share);
    const least = Math.min(...lowered.listeners.map(({ maxConnections }) => maxConnections));
    const advice = `raise the limit of open files (ulimit -n, LimitNOFILE) to ${needed + 64}`;
    if (!(least >= LEAST_CONNECTIONS)) {
      const message =
        `Cannot serve clients: the process can open ${this.#available} more files, but its ` +
        `connections need ${needed}; ${advice}`;
      throw new ListenError("other", { message });
    }
    this.#events({
      ...{ type: "trouble", level: "warning", component: "config" },
      message: `The connection caps need ${needed} open files, but the process can open only ` +
        `${this.#available} more: all caps are lowered to ${Math.floor(share * 100)} %, ${least} ` +
        "connections for the smallest",
    });
    return lowered;
  }
}

/** What does not shrink with the caps. */
function reserved({ listeners }: Config): number {
  return RESERVED + listeners.length * CONNECTIONS_TO_REFUSE;
}

function flexible({ listeners, admin, providerEvents, delivery }: Config): number {
  let sum = delivery.maxConcurrency * OF_A_SESSION;
  for (const { maxConnections } of listeners) {
    sum += maxConnections * OF_A_SESSION;
  }
  if (admin.enabled) sum += admin.maxConnections;
  if (providerEvents.sources.length > 0) sum += providerEvents.maxConnections;
  return sum;
}

function lower(config: Config, share: number): Config {
  const part = (cap: number): number => Math.floor(cap * share);
  return {
    ...config,
    listeners: config.listeners.map((listener) => ({
      ...listener,
      maxConnections: part(listener.maxConnections),
    })),
    admin: { ...config.admin, maxConnections: Math.max(1, part(config.admin.maxConnections)) },
    providerEvents: {
      ...config.providerEvents,
      maxConnections: Math.max(1, part(config.providerEvents.maxConnections)),
    },
    delivery: {
      ...config.delivery,
      maxConcurrency: Math.max(1, part(config.delivery.maxConcurrency)),
    },
  };
}
