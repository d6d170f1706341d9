import { type Reply, reply } from "../mail/reply.ts";
import type { AuthFailure } from "./authenticator.ts";

/** The longest line of an exchange with its CRLF, in octets (RFC 4954 section 4). */
export const AUTH_LINE_LIMIT_BYTES = 12_288;

/** The replies of an AUTH command (RFC 4954 sections 4 and 6, RFC 5248 for their codes). */
export const AUTH_REPLIES = {
  success: reply(235, "2.7.0", "Authentication succeeded"),
  /** The mechanism is unknown or not offered here. */
  unknownMechanism: reply(504, "5.5.4", "Unrecognized authentication type"),
  /** A second AUTH in one session, or one within a mail transaction. */
  outOfSequence: reply(503, "5.5.1", "Bad sequence of commands"),
  /** AUTH where `authAvailability` says `needs_tls`. */
  encryptionRequired: reply(
    538,
    "5.7.11",
    "Encryption required for requested authentication mechanism",
  ),
  /** MAIL on a listener that wants authentication first. */
  required: reply(530, "5.7.0", "Authentication required"),
} as const satisfies Record<string, Reply>;

const FAILURES: Readonly<Record<AuthFailure, Reply>> = {
  cancelled: reply(501, "5.7.0", "Authentication cancelled"),
  malformed: reply(501, "5.5.2", "Cannot read the authentication response"),
  too_long: reply(500, "5.5.6", "Authentication exchange line is too long"),
  credentials: reply(535, "5.7.8", "Authentication credentials invalid"),
  throttled: reply(454, "4.7.0", "Too many failed authentications, try again later"),
  unavailable: reply(454, "4.7.0", "Temporary authentication failure"),
};

/** The reply to a failure. */
export function failureReply(failure: AuthFailure): Reply {
  return FAILURES[failure];
}
