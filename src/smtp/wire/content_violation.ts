/** What makes the octets of a message unfit for everything but BINARYMIME. */
export type ContentViolation =
  /** A CR or LF that is not part of a CRLF (RFC 5321 2.3.8). */
  | "bare_cr"
  | "bare_lf"
  /** A NUL octet, which only BINARYMIME may carry (RFC 2045 2.7, 2.8). */
  | "nul";
