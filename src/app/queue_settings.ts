import type { Config } from "../config/schema.ts";
import type { SchedulerOptions } from "../delivery/scheduler.ts";
import { headersOfRoutes } from "../delivery/route.ts";
import type { IntakeLimits } from "../queue/intake.ts";

/** What the intake holds a message to. */
export function intakeLimits({ queue, routes }: Config): IntakeLimits {
  return {
    spoolThresholdBytes: queue.spoolThresholdBytes,
    expireMs: queue.expireMs,
    headerNames: headersOfRoutes(routes),
  };
}

/** How much the scheduler takes on at once. */
export function schedulerLimits(
  { queue, delivery }: Config,
): Pick<SchedulerOptions, "leaseMs" | "window" | "destinations" | "maxConcurrency"> {
  return {
    leaseMs: queue.leaseMs,
    window: {
      recipients: queue.window,
      perDomain: queue.windowPerDomain,
      bodyBytes: queue.windowBodiesBytes,
    },
    destinations: {
      initialConcurrency: delivery.initialConcurrency,
      downMs: delivery.downMs,
      maxDownMs: delivery.maxDownMs,
    },
    maxConcurrency: delivery.maxConcurrency,
  };
}
