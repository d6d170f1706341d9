import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import type { Child } from "hono/jsx";
import { raw } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ApiContext } from "../api/context.ts";
import { actorOf, type AdminEnv, type Caller } from "../env.ts";
import { newSecret } from "../guard/secrets.ts";
import { hasRole } from "../http/operation.ts";
import type { Role } from "../ports.ts";
import { Layout } from "./layout.tsx";
import { placesOf } from "./places.ts";

/** What the dashboard is built from. */
export type DashboardContext = Pick<
  ApiContext,
  "ports" | "clock" | "contents" | "events" | "random" | "sessions"
>;

/** How the viewer wants colours. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = typeof THEMES[number];

/** A page to be shown. */
export interface PageView {
  readonly title: string;
  /** The address of the place in the navigation that it belongs to. */
  readonly place: string;
  readonly status?: ContentfulStatusCode;
  /** The page asks for itself again when something happened, at most once in this time. */
  readonly liveMs?: number;
  readonly withCharts?: boolean;
  readonly children: Child;
}

/** One request for a page, with everything to answer it. */
export class Visit {
  readonly c: Context<AdminEnv>;
  readonly caller: Caller;
  readonly nowMs: number;
  readonly #context: DashboardContext;

  constructor(
    c: Context<AdminEnv>,
    { caller, context }: { caller: Caller; context: DashboardContext },
  ) {
    this.c = c;
    this.caller = caller;
    this.#context = context;
    this.nowMs = context.clock.now();
  }

  get ports(): DashboardContext["ports"] {
    return this.#context.ports;
  }

  get contents(): DashboardContext["contents"] {
    return this.#context.contents;
  }

  get sessions(): DashboardContext["sessions"] {
    return this.#context.sessions;
  }

  get events(): DashboardContext["events"] {
    return this.#context.events;
  }

  /** A text that was never there before. */
  unique(): string {
    return newSecret(this.#context.random);
  }

  /** The fields of a form, the first value of each, without white space around it. */
  async form(): Promise<Readonly<Record<string, string>>> {
    const body = await this.c.req.parseBody();
    return Object.fromEntries(
      Object.entries(body).map(([name, value]) => [
        name,
        // A text area keeps what it has, its line ends among it.
        typeof value === "string" && !value.includes("\n") ? value.trim() : String(value),
      ]),
    );
  }

  /** The caller as it stands in timelines. */
  get actor(): string {
    return actorOf(this.caller);
  }

  /** Whether the caller may do what needs `role`. */
  may(role: Role): boolean {
    return hasRole(this.caller.role, role);
  }

  /** Answers with a page in the dashboard's frame. */
  async show({ status = 200, ...view }: PageView): Promise<Response> {
    const page = (
      <Layout
        {...view}
        path={this.c.req.path}
        theme={themeOf(getCookie(this.c, "posthouse_theme"))}
        caller={this.caller}
        info={this.ports.info.read()}
        places={await placesOf(this.ports, (role) => this.may(role))}
      />
    );
    return this.c.html(raw(`<!DOCTYPE html>${await page}`), status);
  }

  /** Sends the browser elsewhere after something was done. */
  goTo(address: string): Response {
    return this.c.redirect(address, 303);
  }
}

function themeOf(text: string | undefined): Theme {
  return THEMES.find((theme) => theme === text) ?? "auto";
}
