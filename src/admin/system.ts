import { Hono } from "hono";
import type { AdminEnv } from "./env.ts";
import { operation } from "./http/operation.ts";
import type { AdminPorts } from "./ports.ts";

/** What machines ask: `/healthz`, `/readyz`, `/metrics`. */
export function systemRoutes({ health, metrics }: Pick<AdminPorts, "health" | "metrics">) {
  const tag = "System";
  return new Hono<AdminEnv>()
    // That it answers is the answer: the event loop turns.
    .get("/healthz", (c) => c.json({ status: "ok" as const }))
    .get("/readyz", async (c) => {
      const checks = await health.check();
      const isReady = checks.every(({ ok }) => ok);
      // Details are for those with a role; they stand in /api/v1/status.
      const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
      return c.json({ status: isReady ? "ready" : "not ready", failed }, isReady ? 200 : 503);
    })
    .get(
      "/metrics",
      operation({ id: "getMetrics", tag, summary: "Prometheus metrics", role: "viewer" }),
      async (c) => c.body(await metrics.render(), 200, { "content-type": metrics.contentType }),
    );
}
