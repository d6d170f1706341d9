/** The BODY parameter of MAIL (RFC 6152 section 2, RFC 3030 section 3). */
export type BodyType = "7BIT" | "8BITMIME" | "BINARYMIME";

/** A word of the NOTIFY parameter of RCPT (RFC 3461 section 4.1). */
export type Notify = "NEVER" | "SUCCESS" | "FAILURE" | "DELAY";

/** One recipient of an envelope. */
export interface Recipient {
  /** The mailbox of RCPT TO without angle brackets and without a source route. */
  readonly forwardPath: string;
  /** The domain of the mailbox: A-labels in lower case, or an address literal with its brackets. */
  readonly domain: string;
  /** NOTIFY of RFC 3461; absent means the next hop's default (failure, perhaps delay). */
  readonly notify?: readonly Notify[];
  /** ORCPT of RFC 3461 as received, `addr-type;xtext`. */
  readonly originalRecipient?: string;
}

/**
 * The envelope parameters that only some mail carries. A key is absent when the
 * client did not give the parameter.
 */
export interface EnvelopeExtras {
  /** RET of RFC 3461: what a notification returns of the message. */
  readonly ret?: "FULL" | "HDRS";
  /** ENVID of RFC 3461, still in xtext. */
  readonly envid?: string;
  /** REQUIRETLS of RFC 8689. */
  readonly requireTls?: true;
  /** BY of RFC 2852 with the deadline made absolute. */
  readonly deliverBy?: {
    readonly deadlineMs: number;
    readonly mode: "R" | "N";
    readonly trace: boolean;
  };
  /** HOLDUNTIL or HOLDFOR of RFC 4865, made absolute. */
  readonly holdUntilMs?: number;
  /** MT-PRIORITY of RFC 6710, -9 to 9. */
  readonly priority?: number;
  /** AUTH= of RFC 4954 section 5, decoded; `<>` where the submitter is not known. */
  readonly submitter?: string;
}

/** The most recipients of one message, aliases expanded; the queue numbers them in 16 bits. */
export const RECIPIENT_LIMIT = 65_536;

/** What RFC 5321 2.3.1 calls the envelope. */
export interface Envelope {
  /** The mailbox of MAIL FROM; empty for the null reverse-path. */
  readonly reversePath: string;
  readonly body: BodyType;
  /** Whether MAIL carried SMTPUTF8 (RFC 6531). */
  readonly smtpUtf8: boolean;
  readonly extras?: EnvelopeExtras;
  readonly recipients: readonly Recipient[];
  /**
   * Aliases that several of the recipients stand in for, where the sender asked to hear of
   * success: it is told that they were expanded (RFC 3461 section 5.2.7).
   */
  readonly expanded?: readonly Recipient[];
}

/** Where a message entered the relay. */
export interface Origin {
  /** Name of the listener, or `local` for mail the relay itself made. */
  readonly listener: string;
  /** IP address of the client without brackets; empty for mail the relay itself made. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The argument of HELO or EHLO in ASCII: A-labels, and `?` for what is no domain. */
  readonly helo: string;
  /** The protocol word of the Received field (RFC 5321 4.4, RFC 3848): SMTP, ESMTP, ESMTPSA, HTTP … */
  readonly protocol: string;
  /** The authenticated user. */
  readonly user?: string;
  /** TLS version and cipher of the session that brought the message. */
  readonly tls?: string;
}

/** What was learnt about the octets of a message while they passed. */
export interface BodyFacts {
  /** Size in octets, as RFC 1870 counts it: CRLFs included, dot-stuffing not. */
  readonly sizeBytes: number;
  /** Whether any octet is above 127. */
  readonly eightBit: boolean;
  /** Lines that begin with a dot; 0 means the message can be sent without stuffing. */
  readonly dotLines: number;
  /** Length of the longest line in octets, CRLF not counted. */
  readonly longestLineBytes: number;
  /** Whether the message ends in CRLF and has no bare CR or LF (false only for BINARYMIME). */
  readonly lineOriented: boolean;
}
