import type { VerbSession } from "./verb.ts";

/** Octets that a message of this client may have, as RFC 1870 counts them; 0 for no limit. */
export function messageLimit(session: VerbSession): number {
  const { policy, limits: { messageBytes } } = session.context;
  const ofClient = policy.messageBytes(session);
  if (ofClient === 0 || messageBytes === 0) return ofClient + messageBytes;
  return Math.min(ofClient, messageBytes);
}
