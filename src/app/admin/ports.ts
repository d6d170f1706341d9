import type {
  AdminPorts,
  ConfigPort,
  PreflightPort,
  QueueCommand,
  QueuePort,
} from "../../admin/ports.ts";
import type { Access } from "../../admin/guard/access.ts";
import { commandOutline } from "../../webhooks/command_outline.ts";
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
  reroute: "rerouted",
  readdress: "readdressed",
  delete: "deleted",
} as const;

/** What a command says besides its name. */
function reasonOf(command: QueueCommand): { readonly reason?: string } {
  if (command.kind === "reroute") {
    const { transport } = command;
    return { reason: transport === null ? "to its routes" : `to transport ${transport}` };
  }
  if (command.kind !== "readdress") return {};
  const { remove, add } = command;
  const parts = [
    ...(remove === undefined ? [] : [`without ${remove}`]),
    ...(add.length === 0 ? [] : [`to ${add.map(({ forwardPath }) => forwardPath).join(", ")}`]),
  ];
  return { reason: parts.join(", ") };
}

function queuePort(
  { store, scheduler, clock, events, webhooks, sendAgain }: RelayParts,
): QueuePort {
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
      const told = webhooks.isEmpty ? null : commandOutline(command.kind, by);
      const changed = await store.command({
        ...{ filter, command, nowMs: clock.now(), by },
        ...(told === null ? {} : { event: told }),
      });
      if (changed === 0) return 0;
      const [id, ...others] = filter.ids ?? [];
      if (id !== undefined && others.length === 0) {
        events({ type: DONE[command.kind], messageId: id, by, ...reasonOf(command) });
      } else {
        const target = `${changed} ${changed === 1 ? "message" : "messages"}`;
        events({ type: "operated", by, action: DONE[command.kind], target, ...reasonOf(command) });
      }
      // Mail whose way is another now need not wait until the old one may be open again.
      if (command.kind === "reroute") scheduler.lookAgain();
      else scheduler.wake();
      return changed;
    },
  };
}
