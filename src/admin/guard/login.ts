import { type Context, Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { html } from "hono/html";
import { addressOf, type AdminEnv } from "../env.ts";
import type { AdminPorts } from "../ports.ts";
import { SESSION_COOKIE } from "./authenticate.ts";
import type { FailureLimit } from "./rate_limit.ts";
import type { SessionOwner, Sessions } from "./sessions.ts";

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
  return new Hono<AdminEnv>()
    .get("/login", (c) => loginPage(c, options, { next: nextOf(c.req.query("next")) }))
    .post("/login", async (c) => {
      const form = await c.req.parseBody();
      const next = nextOf(form["next"]);
      const address = addressOf(c.env?.peer);
      const waitMs = failures.waitMs(address);
      if (waitMs > 0) {
        c.header("retry-after", String(Math.ceil(waitMs / 1000)));
        return loginPage(c, options, { next, status: 429, message: TOO_MANY });
      }
      const owner = await ownerOf(options, { name: form["name"], password: form["password"] });
      if (owner === null) {
        failures.fail(address);
        return loginPage(c, options, { next, status: 401, message: "That is not right." });
      }
      const earlier = getCookie(c, SESSION_COOKIE);
      if (earlier !== undefined) sessions.end(earlier);
      setCookie(c, SESSION_COOKIE, sessions.begin(owner), {
        httpOnly: true,
        sameSite: "Strict",
        secure: options.secureCookie,
        path: "/",
        maxAge: Math.floor(sessions.lifetimeMs / 1000),
      });
      return c.redirect(next, 303);
    })
    .post("/logout", (c) => {
      const secret = getCookie(c, SESSION_COOKIE);
      if (secret !== undefined) sessions.end(secret);
      deleteCookie(c, SESSION_COOKIE, { path: "/", secure: options.secureCookie });
      return c.redirect("/login", 303);
    })
    .get("/login.css", (c) => c.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
}

const TOO_MANY = "Too many failed attempts. Wait a minute.";

/** Somebody with a name and password, or a key in the place of the password. */
async function ownerOf(
  { ports }: LoginOptions,
  { name, password }: { name: unknown; password: unknown },
): Promise<SessionOwner | null> {
  if (typeof name !== "string" || typeof password !== "string" || password === "") return null;
  if (password.length > 1024 || name.length > 256) return null;
  if (name !== "") {
    const user = await ports.users.verify({ name, password });
    return user === null ? null : { kind: "user", name: user.name };
  }
  const key = await ports.keys.verify(password);
  return key === null ? null : { kind: "key", name: key.id };
}

/** A page of ours to go to after signing in; never another site. */
function nextOf(given: unknown): string {
  return typeof given === "string" && /^\/(?![/\\])[\x21-\x7e]{0,1000}$/.test(given) &&
      !given.includes("\\")
    ? given
    : "/";
}

function loginPage(
  c: Context<AdminEnv>,
  { ports }: LoginOptions,
  { next, message, status = 200 }: {
    next: string;
    message?: string;
    status?: 200 | 401 | 429;
  },
) {
  const { hostname } = ports.info.read();
  const page = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Sign in · ${hostname}</title>
        <link rel="stylesheet" href="/login.css">
      </head>
      <body>
        <main>
          <h1>Posthouse</h1>
          <p class="host">${hostname}</p>
          <form method="post" action="/login">
    ${message === undefined ? "" : html`<p role="alert">${message}</p>`}
    <input type="hidden" name="next" value="${next}">
    <label for="name">Name</label>
    <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false"
      autofocus aria-describedby="hint">
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required>
    <p id="hint">With an API key, leave the name empty and give the key as the password.</p>
    <button>Sign in</button>
          </form>
        </main>
      </body>
    </html>
  `;
  return c.html(page, status);
}

const STYLE = `:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { width: min(22rem, calc(100vw - 2rem)); }
h1 { margin: 0; font-size: 1.5rem; }
.host { margin: 0 0 1.5rem; overflow-wrap: anywhere; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input, button { box-sizing: border-box; width: 100%; padding: .6rem; font: inherit;
  border: 1px solid GrayText; border-radius: .4rem; }
button { margin-top: 1rem; font-weight: 600; cursor: pointer; }
#hint { font-size: .875rem; }
[role=alert] { padding: .6rem; border-left: .25rem solid #c62828; background: #c6282820; }
`;
