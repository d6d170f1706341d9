import { Hono } from "hono";
import type { EventSink } from "../../observe/events.ts";
import { CompatDesk, type CompatOptions } from "./desk.ts";
import { mailgunRoutes } from "./mailgun.ts";
import { postmarkRoutes } from "./postmark.ts";
import { type CompatEnv, unknownRequest } from "./request.ts";
import { resendRoutes } from "./resend.ts";
import { sendgridRoutes } from "./sendgrid.ts";
import { sesRoutes } from "./ses.ts";

/** Where the APIs stand: `/compat/mailgun` and so on is the base address of each. */
export const COMPAT_PATH = "/compat";

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
  app.route("/mailgun", mailgunRoutes(desk));
  app.route("/sendgrid", sendgridRoutes(desk));
  app.route("/postmark", postmarkRoutes(desk));
  app.route("/resend", resendRoutes(desk));
  app.route("/ses", sesRoutes(desk));
  app.notFound((c) => c.json({ message: unknownRequest(c) }, 404));
  return app;
}
