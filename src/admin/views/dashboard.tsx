import { type Context, Hono } from "hono";
import { ASSETS, isCurrentVersion } from "../assets/mod.ts";
import type { AdminEnv } from "../env.ts";
import type { Role } from "../ports.ts";
import { failurePage, forbiddenPage, notFoundPage } from "./pages/failure.tsx";
import { messagePage } from "./pages/message/page.tsx";
import { sendAgainFromForm, sendAgainPage } from "./pages/message/send_again.tsx";
import { overviewPage } from "./pages/overview/page.tsx";
import { applyAction, confirmPage } from "./pages/queue/confirm.tsx";
import { queuePage } from "./pages/queue/page.tsx";
import { accessPage, createKey, putUser, removeUser, revokeKey } from "./pages/relay/access.tsx";
import { composePage, sendLetter } from "./pages/relay/compose.tsx";
import { configPage, reloadConfig } from "./pages/relay/config.tsx";
import { logPage } from "./pages/relay/log.tsx";
import { preflightPage } from "./pages/relay/preflight.tsx";
import { routesPage } from "./pages/relay/routes.tsx";
import {
  addSuppression,
  removeSuppression,
  suppressionsPage,
} from "./pages/relay/suppressions.tsx";
import { replayWebhook, webhooksPage } from "./pages/relay/webhooks.tsx";
import {
  destinationsPage,
  flushDestination,
  pauseDestination,
  resumeDestination,
} from "./pages/ways/destinations.tsx";
import { pausePage } from "./pages/ways/pause.tsx";
import { sendTest, testPage } from "./pages/ways/test.tsx";
import {
  pauseTransport,
  resetTransport,
  resumeTransport,
  transportsPage,
} from "./pages/ways/transports.tsx";
import { changeStream } from "./live.ts";
import { type DashboardContext, Visit } from "./visit.tsx";

type PageHandler = (visit: Visit) => Response | Promise<Response>;

/**
 * The dashboard: pages for people, made on the server. It expects whoever makes a request to be
 * known already, and changes to come from its own pages (see `guard`).
 */
export function dashboard(context: DashboardContext): Hono<AdminEnv> {
  const live = { events: context.ports.events, clock: context.clock };
  const page = (role: Role, show: PageHandler) => (c: Context<AdminEnv>) =>
    answer(c, { context, role, show });
  return new Hono<AdminEnv>()
    .get("/assets/:version/:name", serveAsset)
    .get("/live", (c) => c.get("caller") === null ? c.body(null, 401) : changeStream(c, live))
    .get("/", page("viewer", overviewPage))
    .get("/messages/:id", page("viewer", messagePage))
    .get("/messages/:id/send-again", page("operator", (visit) => sendAgainPage(visit)))
    .post("/messages/:id/send-again", page("operator", sendAgainFromForm))
    .get("/queue", page("viewer", queuePage))
    .get("/queue/confirm", page("operator", confirmPage))
    .post("/queue/apply", page("operator", applyAction))
    .get("/compose", page("operator", composePage))
    .post("/compose", page("operator", sendLetter))
    .get("/log", page("viewer", logPage))
    .get("/destinations", page("viewer", destinationsPage))
    .get("/destinations/pause", page("operator", (v) => pausePage(v, { kind: "destinations" })))
    .post("/destinations/pause", page("operator", pauseDestination))
    .post("/destinations/resume", page("operator", resumeDestination))
    .post("/destinations/flush", page("operator", flushDestination))
    .get("/transports", page("viewer", transportsPage))
    .get("/transports/test", page("operator", (visit) => testPage(visit)))
    .post("/transports/test", page("operator", sendTest))
    .get("/transports/pause", page("operator", (v) => pausePage(v, { kind: "transports" })))
    .post("/transports/pause", page("operator", pauseTransport))
    .post("/transports/resume", page("operator", resumeTransport))
    .post("/transports/reset", page("operator", resetTransport))
    .get("/routes", page("viewer", routesPage))
    .get("/suppressions", page("viewer", suppressionsPage))
    .post("/suppressions/add", page("operator", addSuppression))
    .post("/suppressions/remove", page("operator", removeSuppression))
    .get("/config", page("viewer", configPage))
    .post("/config/reload", page("admin", reloadConfig))
    .get("/preflight", page("viewer", preflightPage))
    .get("/webhooks", page("viewer", webhooksPage))
    .post("/webhooks/replay", page("operator", replayWebhook))
    .get("/access", page("admin", accessPage))
    .post("/access/users", page("admin", putUser))
    .post("/access/users/remove", page("admin", removeUser))
    .post("/access/keys", page("admin", createKey))
    .post("/access/keys/revoke", page("admin", revokeKey))
    .get("*", (c, next) => isForPrograms(c) ? next() : page("viewer", notFoundPage)(c));
}

async function answer(
  c: Context<AdminEnv>,
  { context, role, show }: { context: DashboardContext; role: Role; show: PageHandler },
): Promise<Response> {
  const caller = c.get("caller");
  if (caller === null) return c.redirect(loginAddress(c), 303);
  const visit = new Visit(c, { caller, context });
  if (!visit.may(role)) return await forbiddenPage(visit, role);
  try {
    return await show(visit);
  } catch (error) {
    return await failurePage(visit, error);
  }
}

/** Programs get problem documents instead of pages. */
function isForPrograms(c: Context<AdminEnv>): boolean {
  return c.req.path.startsWith("/api/");
}

/** Where to sign in, and to come back to afterwards. */
function loginAddress(c: Context<AdminEnv>): string {
  const { pathname, search } = new URL(c.req.url);
  const next = c.req.method === "GET" ? `${pathname}${search}` : "/";
  return next === "/" ? "/login" : `/login?next=${encodeURIComponent(next)}`;
}

function serveAsset(c: Context<AdminEnv>): Response {
  const asset = ASSETS.get(c.req.param("name") ?? "");
  if (asset === undefined) return c.notFound() as Response;
  const isCurrent = isCurrentVersion(c.req.param("version") ?? "");
  return c.body(asset.body, 200, {
    "content-type": asset.contentType,
    // The address of an older page finds the new files; only what cannot change is kept.
    "cache-control": isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
  });
}
