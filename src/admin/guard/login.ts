import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { addressOf, type AdminEnv } from "../env.ts";
import type { AdminPorts } from "../ports.ts";
import { loginView } from "../views/login.tsx";
import { sessionCookie } from "./authenticate.ts";
import type { FailureLimit } from "./rate_limit.ts";
import type { Session, SessionOwner, Sessions } from "./sessions.ts";

export interface LoginOptions {
  readonly ports: Pick<AdminPorts, "keys" | "users" | "info">;
  readonly sessions: Sessions;
  readonly failures: FailureLimit;
  /** Whether browsers reach the relay by HTTPS only. */
  readonly secureCookie: boolean;
}

/** Signing in and out: `/login` and `/logout`. */
export function loginRoutes(options: LoginOptions): Hono<AdminEnv> {
  const { sessions, failures } = options;
  const cookieName = sessionCookie({ secure: options.secureCookie });
  return new Hono<AdminEnv>()
    .get("/login", (c) => loginPage(c, options, { next: nextOf(c.req.query("next")) }))
    .post("/login", async (c) => {
      const form = await c.req.parseBody();
      const next = nextOf(form["next"]);
      const address = addressOf(c.env?.peer);
      const name = nameOf(form["name"]);
      const waitMs = failures.waitMs(address, name);
      if (waitMs > 0) {
        c.header("retry-after", String(Math.ceil(waitMs / 1000)));
        return loginPage(c, options, { next, status: 429, message: TOO_MANY });
      }
      failures.fail(address, name); // before it is known, so that many at once are no way around
      const begun = await sessionOf(options, { name: form["name"], password: form["password"] });
      if (begun === null) {
        return loginPage(c, options, {
          next,
          status: 401,
          message: "Wrong name or password.",
        });
      }
      failures.forgive(address, name);
      const earlier = getCookie(c, cookieName);
      if (earlier !== undefined) sessions.end(earlier);
      setCookie(c, cookieName, sessions.begin(begun), {
        httpOnly: true,
        sameSite: "Strict",
        secure: options.secureCookie,
        path: "/",
        maxAge: Math.floor(sessions.lifetimeMs / 1000),
      });
      return c.redirect(next, 303);
    })
    .post("/logout", (c) => {
      const secret = getCookie(c, cookieName);
      if (secret !== undefined) sessions.end(secret);
      deleteCookie(c, cookieName, { path: "/", secure: options.secureCookie });
      return c.redirect("/login", 303);
    });
}

const MAX_NAME = 256;

/** The name that a guess counts for. */
function nameOf(given: unknown): string | undefined {
  return typeof given === "string" && given !== "" ? given.slice(0, MAX_NAME) : undefined;
}

const TOO_MANY = "Too many failed attempts. Wait a minute.";

async function sessionOf(
  options: LoginOptions,
  given: { name: unknown; password: unknown },
): Promise<Session | null> {
  const owner = await ownerOf(options, given);
  if (owner === null) return null;
  const { keys, users } = options.ports;
  const stamp = await (owner.kind === "user" ? users : keys).stamp(owner.name);
  return stamp === null ? null : { owner, stamp };
}

/** Somebody with a name and password, or a key in the place of the password. */
async function ownerOf(
  { ports }: LoginOptions,
  { name, password }: { name: unknown; password: unknown },
): Promise<SessionOwner | null> {
  if (typeof name !== "string" || typeof password !== "string" || password === "") return null;
  if (password.length > 1024 || name.length > MAX_NAME) return null;
  if (name !== "") {
    const user = await ports.users.verify({ name, password });
    return user === null ? null : { kind: "user", name: user.name };
  }
  const key = await ports.keys.verify(password);
  return key === null || key.role === "sender" ? null : { kind: "key", name: key.id };
}

/** A page of ours to go to after signing in; never another site. */
function nextOf(given: unknown): string {
  return typeof given === "string" && /^\/(?![/\\])[\x21-\x7e]{0,1000}$/.test(given) &&
      !given.includes("\\")
    ? given
    : "/";
}

async function loginPage(
  c: Context<AdminEnv>,
  { ports }: LoginOptions,
  { next, message, status = 200 }: {
    next: string;
    message?: string;
    status?: 200 | 401 | 429;
  },
) {
  const { hostname } = ports.info.read();
  const view = { hostname, next, ...(message === undefined ? {} : { message }) };
  return c.html(await loginView(view), status);
}
