import type { AuthFacts } from "../../auth/authenticator.ts";
import type { VerbSession } from "./verb.ts";

/** What is known of the connection that wants to authenticate. */
export function authFacts({ clientAddress, tls }: VerbSession): AuthFacts {
  return { clientAddress, tls: tls !== null, certificate: tls?.peer ?? null };
}
