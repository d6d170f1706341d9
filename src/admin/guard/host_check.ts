import type { Context, MiddlewareHandler } from "hono";
import { parseIp } from "../../base/ip.ts";
import type { AdminEnv } from "../env.ts";
import { problem } from "../http/problem.ts";

/** Whether an address is one of this host alone. */
export function isLoopback(address: string): boolean {
  const octets = parseIp(address);
  if (octets === null) return false;
  if (octets.length === 4) return octets[0] === 127;
  return octets.every((octet, index) => octet === (index === 15 ? 1 : 0));
}

/**
 * Refuses requests that name another host than those the relay is known by. Without it, a page on
 * a name that its owner points to 127.0.0.1 could read the open API through a browser on this
 * machine (DNS rebinding). Addresses can be named by themselves: nobody can rebind a number.
 *
 * @param names host names beside `localhost`; null allows every name.
 */
export function hostCheck(names: readonly string[] | null): MiddlewareHandler<AdminEnv> {
  const known = new Set(["localhost", ...(names ?? [])].map((name) => name.toLowerCase()));
  return async (c, next) => {
    const host = hostOf(c);
    const isKnown = names === null || c.env?.peer?.kind === "unix" || known.has(host) ||
      host.endsWith(".localhost") || parseIp(host.replace(/^\[|\]$/g, "")) !== null;
    if (!isKnown) {
      return problem(c, "misdirected", {
        detail: "Set admin.public_url to the URL of this relay.",
      });
    }
    await next();
  };
}

/** The host part of the Host field, in lower case, with the brackets of an IPv6 address. */
function hostOf(c: Context<AdminEnv>): string {
  return new URL(c.req.url).hostname.toLowerCase();
}
