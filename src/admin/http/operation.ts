import type { Context, Env, Handler, MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { AdminEnv } from "../env.ts";
import { type Role, ROLES } from "../ports.ts";
import { problem } from "./problem.ts";

/** What a route tells of itself, for the OpenAPI document, and who may use it. */
export interface Operation {
  /** Unique; names the function of generated clients. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least role that may do it, `send` for anyone who may hand in mail; null for everybody. */
  readonly role: Role | "send" | null;
  readonly status?: 200 | 201 | 204;
  /** The JSON it answers with, or the media types of other content. */
  readonly answer?: z.ZodType | readonly string[];
}

/** Where input stands in a request. */
export type InputPlace = "param" | "query" | "json";

/** What is attached to handlers, for the OpenAPI document. */
export interface HandlerFacts {
  readonly operation?: Operation;
  readonly input?: { readonly place: InputPlace; readonly schema: z.ZodObject };
}

const FACTS: unique symbol = Symbol("posthouse.admin.handlerFacts");

/** Attaches facts to a handler. */
export function withFacts<H extends object>(handler: H, facts: HandlerFacts): H {
  return Object.assign(handler, { [FACTS]: facts });
}

/** The facts of a handler; none for handlers without. */
export function factsOf(handler: Handler<Env> | object): HandlerFacts {
  return (handler as { [FACTS]?: HandlerFacts })[FACTS] ?? {};
}

/** Whether `role` includes what `needed` may do. */
export function hasRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

function mayPass(c: Context<AdminEnv>, role: Role | "send"): boolean {
  if (role === "send") return c.get("sender") !== null;
  const caller = c.get("caller");
  return caller !== null && hasRole(caller.role, role);
}

/**
 * The first handler of every route: describes it, and lets only callers with its role through. One
 * value does both, so that no route can be described without being guarded.
 */
export function operation(facts: Operation): MiddlewareHandler<AdminEnv> {
  const { role } = facts;
  const guard: MiddlewareHandler<AdminEnv> = async (c, next) => {
    if (role === null || mayPass(c, role)) return await next();
    const caller = c.get("caller");
    if (caller === null && c.get("sender") === null) {
      return problem(c, "unauthorized", { headers: { "www-authenticate": "Bearer" } });
    }
    const is = caller === null ? "sender" : caller.role;
    const needed = role === "send" ? "a key that may send" : `the role ${role}`;
    return problem(c, "forbidden", { detail: `Expected ${needed}, got a ${is}.` });
  };
  return withFacts(guard, { operation: facts });
}
