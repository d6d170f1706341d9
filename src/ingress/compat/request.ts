import type { Context } from "hono";

/** What the composition root hands each request. */
export interface CompatEnv {
  readonly Bindings: {
    readonly peer?: { readonly kind: string; readonly address?: string };
  };
}

/** The address of the client; empty for a local socket. */
export function addressOf(c: Context<CompatEnv>): string {
  return c.env?.peer?.address ?? "";
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
