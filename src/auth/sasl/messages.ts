import type { AuthFailure } from "../authenticator.ts";
import type { SaslStep, Verdict } from "./mechanism.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** An empty message. */
export const NOTHING = new Uint8Array(0);

/** Decodes UTF-8; null where the octets are none. */
export function strictText(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** Ends an exchange. */
export function failed(failure: AuthFailure, cause: string): SaslStep {
  return { kind: "failure", failure, cause };
}

/** Ends an exchange with a message that breaks the mechanism's grammar. */
export function malformed(cause: string): SaslStep {
  return failed("malformed", cause);
}

/** Ends an exchange with what a check said. */
export function concluded(verdict: Verdict): SaslStep {
  return verdict.kind === "accepted"
    ? { kind: "success", proof: verdict.proof }
    : failed(verdict.failure, verdict.cause);
}

/**
 * Begins a mechanism in which the client speaks first: without an initial response the server
 * asks for it with an empty challenge (RFC 4954 section 4).
 */
export function clientFirst(
  initialResponse: Uint8Array | null,
  next: (response: Uint8Array) => SaslStep,
): SaslStep {
  return initialResponse === null
    ? { kind: "challenge", data: NOTHING, next }
    : next(initialResponse);
}
