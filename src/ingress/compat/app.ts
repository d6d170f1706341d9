import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { EventSink } from "../../observe/events.ts";
import { CompatDesk, type CompatOptions } from "./desk.ts";
import { mailgunRoutes } from "./mailgun.ts";
import { postmarkRoutes } from "./postmark.ts";
import type { CompatEnv } from "./request.ts";
import { resendRoutes } from "./resend.ts";
import { sendgridRoutes } from "./sendgrid.ts";
import { sesRoutes } from "./ses.ts";

/** Where the APIs stand: `/compat/mailgun` and so on is the base address of each. */
export const COMPAT_PATH = "/compat";

/** A request is in memory as a whole; base64 and JSON make a message larger. */
const OVERHEAD = 1.5;
const LEAST_BYTES = 1024 * 1024;

/** Builds the app that takes requests in the forms of providers' APIs. */
export function createCompatApp(
  options: CompatOptions & { readonly events: EventSink },
): Hono<CompatEnv> {
  const desk = new CompatDesk(options);
  const app = new Hono<CompatEnv>().basePath(COMPAT_PATH);
  app.onError((cause, c) => {
    const message = `Cannot answer ${c.req.method} ${c.req.path}`;
    options.events({ type: "trouble", level: "error", component: "http", message, cause });
    return c.json({ message: "Internal error" }, 500);
  });
  app.use((c, next) => {
    const { messageBytes } = options.submitter.limits;
    const maxSize = messageBytes === 0
      ? Number.MAX_SAFE_INTEGER
      : Math.ceil(messageBytes * OVERHEAD) + LEAST_BYTES;
    return bodyLimit({ maxSize, onError: (c) => c.json({ message: "Too large" }, 413) })(c, next);
  });
  app.route("/mailgun", mailgunRoutes(desk));
  app.route("/sendgrid", sendgridRoutes(desk));
  app.route("/postmark", postmarkRoutes(desk));
  app.route("/resend", resendRoutes(desk));
  app.route("/ses", sesRoutes(desk));
  return app;
}
