import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { EventSink } from "../observe/events.ts";
import type { ApiContext } from "./api/context.ts";
import { API_PATH, apiRoutes } from "./api/mod.ts";
import { ContentReader } from "./content/read.ts";
import type { AdminEnv } from "./env.ts";
import { authenticate } from "./guard/authenticate.ts";
import { hostCheck } from "./guard/host_check.ts";
import { loginRoutes } from "./guard/login.ts";
import { originCheck } from "./guard/origin_check.ts";
import { FailureLimit } from "./guard/rate_limit.ts";
import { securityHeaders } from "./guard/security_headers.ts";
import { Sessions } from "./guard/sessions.ts";
import { onError } from "./http/errors.ts";
import { type DescribedRoute, describedRoutes, openApiDocument } from "./http/openapi.ts";
import { problem } from "./http/problem.ts";
import type { AdminPorts } from "./ports.ts";
import { systemRoutes } from "./system.ts";

/** How the admin app is guarded, and what it gets from its surroundings. */
export interface AdminOptions {
  /** Is notified of failures. */
  readonly events: EventSink;
  /** Whether clients on this machine need no credentials. */
  readonly openOnLoopback: boolean;
  /** Where browsers reach it when not by its address, as `https://mail.example.net`. */
  readonly publicOrigin?: string;
  readonly sessionLifetimeMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** The dashboard, mounted at `/`; without it only the API is there. */
  readonly pages?: (context: ApiContext) => Hono<AdminEnv>;
}

const MESSAGES_PATH = `${API_PATH}/messages`;
/** The largest body of any other request. */
const BODY_LIMIT_BYTES = 1024 * 1024;
const SESSION_LIFETIME_MS = 12 * 3_600_000;

/** Builds the admin app. It listens to nothing: `serveAdmin` does, tests call `request`. */
export function createAdminApp(ports: AdminPorts, options: AdminOptions): Hono<AdminEnv> {
  const { clock = systemClock, random = systemRandom, publicOrigin, openOnLoopback } = options;
  const lifetimeMs = options.sessionLifetimeMs ?? SESSION_LIFETIME_MS;
  const sessions = new Sessions({ clock, random, lifetimeMs });
  const failures = new FailureLimit({ clock });
  const context: ApiContext = {
    ...{ ports, clock, random, sessions, events: options.events },
    contents: new ContentReader(ports.queue),
  };
  const secureCookie = publicOrigin?.startsWith("https:") ?? false;
  const app = new Hono<AdminEnv>();
  app.onError(onError(options.events));
  app.use(securityHeaders({ random }));
  app.use(hostCheck(hostNames(options)));
  const limit = bodyLimit({
    maxSize: BODY_LIMIT_BYTES,
    onError: (c) => problem(c, "body-too-large"),
  });
  // Messages are streamed, and have a limit of their own.
  app.use((c, next) => c.req.path === MESSAGES_PATH ? next() : limit(c, next));
  app.use(authenticate({ ports, sessions, failures, secureCookie, openOnLoopback, clock }));
  app.use(originCheck({ publicOrigin: publicOrigin ?? null }));
  app.route("/", systemRoutes(ports));
  app.route("/", loginRoutes({ ports, sessions, failures, secureCookie }));
  const routes = mountApi(app, context);
  if (options.pages !== undefined) app.route("/", options.pages(context));
  app.notFound((c) => nothingThere(c, routes));
  return app;
}

function mountApi(app: Hono<AdminEnv>, context: ApiContext): DescribedRoute[] {
  app.route(API_PATH, apiRoutes(context));
  const routes = describedRoutes(app);
  const document = openApiDocument(
    routes.filter(({ path }) => path.startsWith(API_PATH)),
    { version: context.ports.info.read().version, basePath: API_PATH },
  );
  app.get(`${API_PATH}/openapi.json`, (c) => c.json(document));
  return routes;
}

/** Names to be reached by; where nobody comes in without credentials, any name will do. */
function hostNames({ openOnLoopback, publicOrigin }: AdminOptions): string[] | null {
  if (!openOnLoopback) return null;
  return publicOrigin === undefined ? [] : [new URL(publicOrigin).hostname];
}

function nothingThere(c: Context<AdminEnv>, routes: readonly DescribedRoute[]) {
  const allowed = routes.filter(({ path }) => fitsPath(path, c.req.path))
    .map(({ method }) => method.toUpperCase());
  if (allowed.length === 0 || allowed.includes(c.req.method)) return problem(c, "not-found");
  const all = allowed.includes("GET") ? [...allowed, "HEAD"] : allowed;
  return problem(c, "method-not-allowed", { headers: { allow: all.join(", ") } });
}

/** Whether a path has the form of a route. */
function fitsPath(route: string, path: string): boolean {
  const wanted = route.split("/");
  const given = path.split("/");
  return wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith(":") || part === given[index]);
}
