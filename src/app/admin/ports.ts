import type { AdminPorts, ConfigPort, PreflightPort, QueuePort } from "../../admin/ports.ts";
import type { Access } from "../../admin/guard/access.ts";
import { METRICS_CONTENT_TYPE } from "../../observe/metrics.ts";
import { healthPort } from "./health.ts";
import type { RelayParts } from "./parts.ts";
import { routesPort } from "./routes.ts";
import { submissionPort } from "./submission.ts";
import { suppressionsPort } from "./suppressions.ts";
import { webhooksPort } from "./webhooks.ts";
import type { RelayWatch } from "./watch.ts";
import { destinationsPort, transportsPort } from "./ways.ts";

export interface AdminPortsOptions {
  readonly parts: RelayParts;
  readonly watch: RelayWatch;
  readonly access: Access;
  readonly config: ConfigPort;
  readonly version: string;
  /** The config file; null when the defaults hold. */
  readonly configFile: string | null;
  readonly preflight: PreflightPort;
}

/** Makes the admin ports of a running relay. */
export function adminPorts(options: AdminPortsOptions): AdminPorts {
  const { parts, watch, access, config, version, configFile, preflight } = options;
  const startedAtMs = parts.clock.now();
  return {
    info: {
      read: () => ({
        ...{ version, configFile, startedAtMs },
        hostname: parts.config().hostname,
        store: parts.config().queue.store,
        listeners: parts.listeners(),
      }),
    },
    queue: queuePort(parts),
    destinations: destinationsPort(parts),
    transports: transportsPort(parts),
    routes: routesPort(parts),
    config,
    events: watch.feed,
    activity: watch.activity,
    metrics: { contentType: METRICS_CONTENT_TYPE, render: () => watch.metrics.render() },
    health: healthPort(parts, watch.stall),
    keys: access.keys,
    users: access.users,
    suppressions: suppressionsPort(parts.suppressions, parts),
    webhooks: webhooksPort(parts.webhooks),
    submission: submissionPort(parts.submitter),
    preflight,
  };
}

/** Commands for one message are also events of it; the timelines of all tell who did what. */
const DONE = {
  retry: "retried",
  hold: "held",
  release: "released",
  cancel: "cancelled",
  bounce: "returned",
  delete: "deleted",
} as const;

function queuePort({ store, scheduler, clock, events, sendAgain }: RelayParts): QueuePort {
  return {
    async sendAgain(request) {
      const result = await sendAgain(request);
      if (result.kind === "queued") {
        events({ type: "operated", by: request.by, action: "sent again", target: request.id });
        scheduler.wake();
      }
      return result;
    },
    list: (request) => store.list(request),
    count: (filter) => store.count(filter),
    get: (id) => store.get(id),
    body: (id) => store.body(id),
    stats: () => store.stats(),
    async command({ filter, command, by }) {
      const changed = await store.command({ filter, command, nowMs: clock.now(), by });
      if (changed === 0) return 0;
      const [id, ...others] = filter.ids ?? [];
      if (id !== undefined && others.length === 0) {
        events({ type: DONE[command.kind], messageId: id, by });
      } else {
        const target = `${changed} ${changed === 1 ? "message" : "messages"}`;
        events({ type: "operated", by, action: DONE[command.kind], target });
      }
      scheduler.wake();
      return changed;
    },
  };
}
