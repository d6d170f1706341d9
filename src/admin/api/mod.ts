import { Hono } from "hono";
import type { AdminEnv } from "../env.ts";
import { keyRoutes, userRoutes } from "./access.ts";
import { actionRoutes } from "./actions/mod.ts";
import { configRoutes } from "./config.ts";
import { contentRoutes } from "./contents.ts";
import type { ApiContext } from "./context.ts";
import { eventRoutes } from "./events.ts";
import { messageRoutes } from "./messages.ts";
import { statusRoutes } from "./status.ts";
import { submissionRoutes } from "./submission.ts";
import { suppressionRoutes } from "./suppressions.ts";
import { destinationRoutes, routeRoutes, transportRoutes } from "./ways.ts";
import { webhookRoutes } from "./webhooks.ts";

/** Where the API stands. */
export const API_PATH = "/api/v1";

/** The whole API. Its type is what the client is made from. */
export function apiRoutes(context: ApiContext) {
  return new Hono<AdminEnv>()
    .route("/", statusRoutes(context))
    .route("/", messageRoutes(context))
    .route("/", contentRoutes(context))
    .route("/", actionRoutes(context))
    .route("/", submissionRoutes(context))
    .route("/", destinationRoutes(context))
    .route("/", transportRoutes(context))
    .route("/", routeRoutes(context))
    .route("/", suppressionRoutes(context))
    .route("/", webhookRoutes(context))
    .route("/", eventRoutes(context))
    .route("/", configRoutes(context))
    .route("/", keyRoutes(context))
    .route("/", userRoutes(context));
}

export type Api = ReturnType<typeof apiRoutes>;
