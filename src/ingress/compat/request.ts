import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { RequestOrigin } from "./desk.ts";

/** What the composition root hands each request. */
export interface CompatEnv {
  readonly Bindings: {
    readonly peer?: { readonly kind: string; readonly address?: string };
  };
}

/** The address of the client; empty for a local socket. */
function addressOf(c: Context<CompatEnv>): string {
  return c.env?.peer?.address ?? "";
}

/** Where a request comes from, and the trace it is part of (W3C Trace Context 3.2). */
export function originOf(c: Context<CompatEnv>): RequestOrigin {
  const traceparent = c.req.header("traceparent");
  const trace = traceparent === undefined ? {} : { traceparent };
  return { clientAddress: addressOf(c), ...trace };
}

/** A request is in memory as a whole; base64 and JSON make a message larger. */
const OVERHEAD = 1.5;
const LEAST_BYTES = 1024 * 1024;

/** Refuses bodies that no message within the limits needs; `onError` says so as its API does. */
export function boundedBody(
  desk: { readonly messageBytes: number },
  onError: (c: Context) => Response,
): MiddlewareHandler<CompatEnv> {
  return (c, next) => {
    const { messageBytes } = desk;
    const maxSize = messageBytes === 0
      ? Number.MAX_SAFE_INTEGER
      : Math.ceil(messageBytes * OVERHEAD) + LEAST_BYTES;
    return bodyLimit({ maxSize, onError })(c, next);
  };
}

/** What is said of a request body that is too large. */
export const TOO_LARGE = "The message is larger than allowed";

/** What is said of requests of an API that are not taken here. */
export function unknownRequest(c: Context): string {
  return `${c.req.method} ${c.req.path} is not supported`;
}

/** The secret of RFC 6750 2.1; empty without one. */
export function bearerOf(c: Context): string {
  return /^bearer +(\S{1,512})$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
}

/** The password of RFC 7617 for a user name; empty without one. */
export function basicPasswordOf(c: Context, user: string): string {
  const encoded = /^basic +(\S{1,1024})$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(encoded));
    return text.startsWith(`${user}:`) ? text.slice(user.length + 1) : "";
  } catch {
    return "";
  }
}
