/** The client's side of one SASL exchange (RFC 4422), without the protocol around it. */
export interface ClientExchange {
  /** As it stands in the AUTH command. */
  readonly mechanism: string;
  /** What the client says first; null where the server does. */
  readonly initial: Uint8Array | null;
  /** The answer to a challenge; null gives the exchange up. */
  respond(challenge: Uint8Array): Uint8Array | null | Promise<Uint8Array | null>;
  /** Whether the server may claim success now: it has proven itself where the mechanism wants it. */
  readonly isComplete: boolean;
}

/** A user's name and password. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}
