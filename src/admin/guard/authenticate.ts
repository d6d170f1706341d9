import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import type { Clock } from "../../base/clock.ts";
import { actorOf, addressOf, type AdminEnv, type Caller, type MailSender } from "../env.ts";
import { hasRole } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import type { AdminPorts } from "../ports.ts";
import type { FailureLimit } from "./rate_limit.ts";
import type { Session, Sessions } from "./sessions.ts";
import { whileAllowed } from "./while_allowed.ts";

/**
 * Name of the session cookie. Behind HTTPS its prefix makes browsers take it from this host alone,
 * and not from a neighbour below the same domain (RFC 6265bis 4.1.3.2); by plain HTTP, which is for
 * this machine alone, they would not take it with the prefix.
 */
export function sessionCookie({ secure }: { secure: boolean }): string {
  return secure ? "__Host-posthouse_session" : "posthouse_session";
}

/** Fields by which reverse proxies say that somebody else is behind them. */
const PROXY_FIELDS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

export interface AuthenticateOptions {
  readonly ports: Pick<AdminPorts, "keys" | "users">;
  readonly sessions: Sessions;
  readonly failures: FailureLimit;
  /** Whether browsers reach the relay by HTTPS only. */
  readonly secureCookie: boolean;
  /** Whether clients on this machine need no credentials. */
  readonly openOnLoopback: boolean;
  readonly clock: Clock;
}

/**
 * Finds out who makes a request: by a key, by a session, or by where it comes from. A wrong key is
 * refused, regardless of what else would have let it in.
 */
export function authenticate(options: AuthenticateOptions): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const secret = bearerSecret(c);
    if (secret === null) {
      const caller = await sessionCaller(c, options) ?? openCaller(c, options);
      c.set("caller", caller);
      c.set("sender", senderOf(caller));
      await next();
      if (caller?.kind === "user") {
        const isAllowed = async () => await sessionCaller(c, options) !== null;
        whileAllowed(c, { ...options, isAllowed });
      }
      return;
    }
    const address = addressOf(c.env?.peer);
    const waitMs = options.failures.waitMs(address);
    if (waitMs > 0) return tooMany(c, waitMs);
    const key = await options.ports.keys.verify(secret);
    // Of guesses side by side, those that end after too many failures learn nothing, not even a good
    // one. Counting before they are known, as for passwords, would refuse busy clients with good keys.
    const laterWaitMs = options.failures.waitMs(address);
    if (laterWaitMs > 0) return tooMany(c, laterWaitMs);
    if (key === null) {
      options.failures.fail(address);
      return problem(c, "unauthorized", {
        detail: "The key is unknown, revoked or expired.",
        headers: { "www-authenticate": `Bearer error="invalid_token"` },
      });
    }
    const { id, name, role, send, senders, senderCheck } = key;
    c.set("caller", role === "sender" ? null : { kind: "key", name, role });
    c.set(
      "sender",
      send ? { name: `key ${name}`, identity: `key ${id}`, senders, senderCheck } : null,
    );
    const stamp = await options.ports.keys.stamp(id);
    await next();
    const isAllowed = async () => await options.ports.keys.stamp(id) === stamp;
    whileAllowed(c, { ...options, isAllowed });
  };
}

/** Operators may send as anybody. */
function senderOf(caller: Caller | null): MailSender | null {
  if (caller === null || !hasRole(caller.role, "operator")) return null;
  const name = actorOf(caller);
  return { name, identity: name, senders: null, senderCheck: "both" };
}

/** Says how long to wait. */
export function tooMany(c: Context, waitMs: number) {
  return problem(c, "too-many-requests", {
    headers: { "retry-after": String(Math.ceil(waitMs / 1000)) },
  });
}

/** The secret of RFC 6750 2.1; null without one, empty for a field of another form. */
function bearerSecret(c: Context<AdminEnv>): string | null {
  const field = c.req.header("authorization");
  if (field === undefined) return null;
  return /^bearer +([\x21-\x7e]{1,512})$/i.exec(field)?.[1] ?? "";
}

function sessionIn(
  c: Context<AdminEnv>,
  { sessions, secureCookie }: AuthenticateOptions,
): Session | null {
  const secret = getCookie(c, sessionCookie({ secure: secureCookie }));
  return secret === undefined ? null : sessions.find(secret);
}

/** Whether the password or secret that began a session is still the one in force. */
async function isValid(
  { owner: { kind, name }, stamp }: Session,
  { ports: { keys, users } }: AuthenticateOptions,
): Promise<boolean> {
  return await (kind === "user" ? users : keys).stamp(name) === stamp;
}

async function sessionCaller(
  c: Context<AdminEnv>,
  options: AuthenticateOptions,
): Promise<Caller | null> {
  const session = sessionIn(c, options);
  if (session === null || !await isValid(session, options)) return null;
  const { owner } = session;
  const { ports } = options;
  if (owner.kind === "user") {
    const user = await ports.users.get(owner.name);
    return user === null ? null : { kind: "user", name: user.name, role: user.role };
  }
  const keys = await ports.keys.list();
  const key = keys.find(({ id }) => id === owner.name);
  // It is a browser that asks, so it is checked as one, whatever began the session.
  if (key === undefined || key.role === "sender") return null;
  return { kind: "user", name: key.name, role: key.role };
}

function openCaller(c: Context<AdminEnv>, { openOnLoopback }: AuthenticateOptions): Caller | null {
  const peer = c.env?.peer;
  if (peer?.kind === "unix") return { kind: "open", name: "local socket", role: "admin" };
  if (!openOnLoopback || peer?.kind !== "tcp" || !peer.isLoopback) return null;
  if (PROXY_FIELDS.some((name) => c.req.header(name) !== undefined)) return null;
  return { kind: "open", name: "this machine", role: "admin" };
}
