import { Hono } from "hono";
import type { AdminEnv } from "../../env.ts";
import type { ApiContext } from "../context.ts";
import { plainActionRoutes } from "./plain.ts";
import { sendAgainRoutes } from "./send_again.ts";
import { wayActionRoutes } from "./way.ts";

/** What operators do to messages. Routes with a word of their own stand before those with any. */
export function actionRoutes(context: ApiContext) {
  return new Hono<AdminEnv>()
    .route("/", wayActionRoutes(context))
    .route("/", sendAgainRoutes(context))
    .route("/", plainActionRoutes(context));
}
