import type { Context, MiddlewareHandler } from "hono";
import type { AdminEnv } from "../env.ts";
import { problem } from "../http/problem.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses changes that another site makes a browser ask for (CSRF). Browsers say where such a
 * request comes from, in Sec-Fetch-Site and in Origin, and scripts cannot change either. Keys are
 * never sent by a browser of itself, so requests with one are not asked.
 *
 * @param publicOrigin the origin that a reverse proxy makes of ours.
 */
export function originCheck(
  { publicOrigin }: { publicOrigin: string | null },
): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const isAsked = !SAFE_METHODS.has(c.req.method) && c.get("caller")?.kind !== "key";
    if (isAsked && !comesFromHere(c, publicOrigin)) return problem(c, "cross-site");
    await next();
  };
}

function comesFromHere(c: Context<AdminEnv>, publicOrigin: string | null): boolean {
  const site = c.req.header("sec-fetch-site");
  const origin = c.req.header("origin");
  if (origin !== undefined && !isOurs(origin, { c, publicOrigin })) return false;
  if (site !== undefined) return site === "same-origin";
  // Programs that are no browsers say neither; they carry no session of somebody else.
  return origin !== undefined || c.get("caller")?.kind !== "user";
}

function isOurs(
  origin: string,
  { c, publicOrigin }: { c: Context<AdminEnv>; publicOrigin: string | null },
): boolean {
  return origin === publicOrigin || origin === new URL(c.req.url).origin;
}
