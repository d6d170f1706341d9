/** What one session may use. */
export interface SessionLimits {
  /** Octets of a command line with its CRLF, to which extensions add (RFC 5321 4.5.3.1.4). */
  readonly commandLineBytes: number;
  /** Octets of a message as RFC 1870 counts them; 0 means no limit. */
  readonly messageBytes: number;
  /** RCPT commands accepted for one message (RFC 5321 4.5.3.1.8 asks for at least 100). */
  readonly recipients: number;
  /** Received fields of a message (RFC 5321 6.3 asks for at least 100). */
  readonly hops: number;
  /** Commands answered with 4xx or 5xx since the last accepted message. */
  readonly errors: number;
  /** Commands since the last accepted message. */
  readonly commands: number;
  /** Transactions of one session; 0 means no limit. */
  readonly messages: number;
  /** Octets that one session may send in all, looked at between commands; 0 means no limit. */
  readonly sessionBytes: number;
  /** How long a command may take to arrive (RFC 5321 4.5.3.2.7), or a reply to be taken. */
  readonly commandTimeoutMs: number;
  /** How long the next octets of a message may take to arrive. */
  readonly dataTimeoutMs: number;
  /** How long a session may last. */
  readonly sessionTimeoutMs: number;
  /** How long the greeting waits for clients that talk before it; 0 does not look for them. */
  readonly greetDelayMs: number;
  /** The shortest time for delivery that may be asked for with return (RFC 2852 section 3). */
  readonly minDeliverByMs: number;
  /** How long mail may be held before its delivery (RFC 4865 section 3). */
  readonly maxHoldMs: number;
}

/** The limits where nothing else is configured. */
export const DEFAULT_LIMITS: SessionLimits = {
  commandLineBytes: 512,
  messageBytes: 100 * 1024 * 1024,
  recipients: 1000,
  hops: 100,
  errors: 50,
  commands: 10_000,
  messages: 0,
  sessionBytes: 0,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 300_000,
  sessionTimeoutMs: 86_400_000,
  greetDelayMs: 0,
  minDeliverByMs: 60_000,
  maxHoldMs: 30 * 86_400_000,
};
