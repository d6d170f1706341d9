import type { AdminPorts, ConfigPort, PreflightPort } from "../../admin/ports.ts";
import type { Access } from "../../admin/guard/access.ts";
import { METRICS_CONTENT_TYPE } from "../../observe/metrics.ts";
import { healthPort } from "./health.ts";
import type { RelayParts } from "./parts.ts";
import { queuePort } from "./queue.ts";
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
