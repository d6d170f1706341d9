import type { KeyRole } from "../ports.ts";

/** What a key may be for: to hand in mail, to look, to act on mail. */
export const SCOPES = ["send", "read", "operate"] as const;
export type Scope = typeof SCOPES[number];

/** The rights that a key with some scopes has. */
export function rightsOf(scopes: readonly Scope[]): { role: KeyRole; send: boolean } {
  const send = scopes.includes("send");
  if (scopes.includes("operate")) return { role: "operator", send };
  return { role: scopes.includes("read") ? "viewer" : "sender", send };
}
