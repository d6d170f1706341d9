import type { Reply } from "../mail/reply.ts";

/** What is known of the connection that wants to authenticate. */
export interface AuthFacts {
  /** IP address without brackets. */
  readonly clientAddress: string;
  /** Whether the octets of the exchange are inside TLS. */
  readonly tls: boolean;
  /** What the client presented in the TLS handshake; null for nothing. */
  readonly certificate: ClientCertificate | null;
}

/** A client's certificate; `PeerCertificate` of the connection has this shape. */
export interface ClientCertificate {
  /** Whether it chains to a trusted root. */
  readonly authorized: boolean;
  /** SHA-256 of the DER form, lower-case hex without colons. */
  readonly fingerprintSha256: string;
  /** The distinguished name, such as `CN=mx.example.org`. */
  readonly subject: string;
  /** The DNS names it is for. */
  readonly names: readonly string[];
}

/** Who somebody proved to be. */
export interface Identity {
  /** The user's name as it is configured. */
  readonly user: string;
  /** The device whose own password was used; null for none. */
  readonly device: string | null;
  /** The SASL mechanism; `CERTIFICATE` where the TLS handshake alone was the proof. */
  readonly mechanism: string;
}

/** Where senders hold: for reverse-paths, for authors in the header section, or both. */
export type SenderCheck = "both" | "envelope" | "header";

/** What a user may do. A limit that is null does not exist. */
export interface Account {
  readonly name: string;
  /**
   * Patterns of what the user may send as: whole mailboxes in which `*` stands for any run of
   * characters, and the empty pattern for the null reverse-path. Null allows all.
   */
  readonly senders: readonly string[] | null;
  /** Where they hold; both where it is not said. */
  readonly senderCheck?: SenderCheck;
  readonly messageSizeBytes: number | null;
  readonly messagesPerHour: number | null;
  readonly messagesPerDay: number | null;
}

/** Why an authentication failed. */
export type AuthFailure =
  /** The client sent `*`. */
  | "cancelled"
  /** A line is not base64, or not what the mechanism prescribes. */
  | "malformed"
  /** A line is longer than RFC 4954 section 4 allows. */
  | "too_long"
  /** Wrong password, token or proof; no such user; a disabled user. */
  | "credentials"
  /** Too many wrong attempts of late; nothing was checked. */
  | "throttled"
  /** The check could not be made. */
  | "unavailable";

/** What an exchange comes to after each line of the client. */
export type AuthStep =
  /** To be sent as `334 <text>`; `text` is base64 and may be empty. */
  | { readonly kind: "challenge"; readonly text: string }
  | { readonly kind: "success"; readonly identity: Identity }
  | {
    readonly kind: "failure";
    readonly failure: AuthFailure;
    /** What the client is told. */
    readonly reply: Reply;
    /** What is logged; names a user only where it exists, and never a secret. */
    readonly cause: string;
  };

/**
 * One run of a mechanism (RFC 4954 section 4): `begin`, then `respond` for every line after a
 * challenge, until the step is a success or a failure.
 */
export interface AuthExchange {
  /**
   * `initialResponse` is the argument behind the mechanism in the AUTH command as it stands there
   * (base64, or `=` for an empty one); null where there is none.
   */
  begin(initialResponse: string | null): AuthStep | Promise<AuthStep>;
  /** `line` is a line of the client without CRLF; `*` cancels. */
  respond(line: string): AuthStep | Promise<AuthStep>;
}

/** Finds out who clients are. A step may take its time: wrong passwords are slowed. */
export interface Authenticator {
  /**
   * Takes note of users that were added or changed; null where there is nothing to wait for. Asked
   * before `mechanisms`, so that the first user can log in at once.
   */
  refresh(): Promise<void> | null;
  /**
   * The names for the AUTH line of EHLO, the strongest first; empty where nobody could
   * authenticate. Whether AUTH may be offered on this connection at all is `authAvailability`'s.
   */
  mechanisms(facts: Pick<AuthFacts, "tls" | "certificate">): readonly string[];
  /** Starts an exchange; null where `mechanism`, in any case, is not among `mechanisms(facts)`. */
  start(mechanism: string, facts: AuthFacts): AuthExchange | null;
  /** Who a certificate stands for without any AUTH command; null for none. */
  identify(certificate: ClientCertificate): Identity | null;
  /** What a user may do now; null for one that does not exist any more or is disabled. */
  account(user: string): Account | null;
}
