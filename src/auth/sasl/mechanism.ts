import type { AuthFailure, Identity } from "../authenticator.ts";

/**
 * What a mechanism wants next. A mechanism is a pure function from messages to steps: each step
 * that waits for something carries the rest of the exchange as `next`, so there is no state to
 * forget. Messages are octets here; base64 belongs to the protocol around it.
 */
export type SaslStep =
  | SaslEnd
  /** A message for the client; `next` takes its answer. */
  | {
    readonly kind: "challenge";
    readonly data: Uint8Array;
    readonly next: (response: Uint8Array) => SaslStep;
  }
  /** Whether a user's password is right. */
  | {
    readonly kind: "check_password";
    readonly username: string;
    readonly password: string;
    readonly next: (verdict: Verdict) => SaslStep;
  }
  /** The keys to prove a SCRAM message with; there are always some, also for unknown users. */
  | {
    readonly kind: "find_scram_keys";
    readonly username: string;
    readonly next: (keys: ScramCredentials) => SaslStep;
  }
  /** Whose a bearer token is. */
  | {
    readonly kind: "check_token";
    readonly token: string;
    /** The user the client names; null where it names none. */
    readonly username: string | null;
    readonly next: (verdict: Verdict) => SaslStep;
  }
  /** Whom the certificate of the TLS handshake stands for. */
  | { readonly kind: "check_certificate"; readonly next: (verdict: Verdict) => SaslStep };

/** How an exchange ends. */
export type SaslEnd =
  | { readonly kind: "success"; readonly proof: Proof }
  | { readonly kind: "failure"; readonly failure: AuthFailure; readonly cause: string };

/** Who somebody proved to be, before the mechanism is named. */
export type Proof = Omit<Identity, "mechanism">;

/** What a check of credentials says. */
export type Verdict =
  | { readonly kind: "accepted"; readonly proof: Proof }
  | { readonly kind: "refused"; readonly failure: AuthFailure; readonly cause: string };

/** What a server keeps of a user for SCRAM (RFC 5802 section 3). */
export interface ScramCredentials {
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** One for each password of the user; all were made with this salt and count. */
  readonly candidates: readonly ScramCandidate[];
}

/** The keys of one password. */
export interface ScramCandidate {
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  /** What holds when the client proves to know the password. */
  readonly verdict: Verdict;
}

/** The server's side of a SASL mechanism (RFC 4422). */
export interface SaslServerMechanism {
  /** As in the IANA registry, upper case. */
  readonly name: string;
  /** Starts an exchange; the initial response is null where the client sent none. */
  start(initialResponse: Uint8Array | null): SaslStep;
}
