import type { z } from "zod";
import { count, duration, listOf, network, size, table, wholeNumber } from "../fields.ts";
import { durationMs, sizeBytes } from "../units.ts";
import { type RatesConfig, ratesConfig, ratesSchema } from "./rates.ts";

/** As `RECIPIENT_LIMIT` of the queue: with more, no message of that many could be stored. */
const MOST_RECIPIENTS = 65_536;

/** What messages, sessions and clients may take. */
export interface LimitsConfig {
  /** Octets of a message as RFC 1870 counts them. */
  readonly messageSizeBytes: number;
  /** Recipients of one message; RFC 5321 4.5.3.1.8 asks for at least 100. */
  readonly recipients: number;
  /** Received fields above which a message is taken for looping (RFC 5321 6.3). */
  readonly receivedHops: number;
  /** Refused commands since the last accepted message after which a session is ended. */
  readonly errors: number;
  /** Commands since the last accepted message after which a session is ended. */
  readonly commands: number;
  /** Messages of one session; 0 for no limit. */
  readonly messages: number;
  /** Octets that one session may send; 0 for no limit. */
  readonly sessionSizeBytes: number;
  /** The shortest time for delivery with return that is accepted (RFC 2852 section 3). */
  readonly minDeliverByMs: number;
  /** How long clients may have mail held; 0 for not at all (RFC 4865 section 3). */
  readonly maxHoldMs: number;
  /** Octets of a command line with its CRLF, to which extensions add (RFC 5321 4.5.3.1.4). */
  readonly commandLineBytes: number;
  /** What one client may do through a listener. */
  readonly client: RatesConfig;
  /** What all clients together may do through a listener. */
  readonly listener: RatesConfig;
  /** Networks whose clients have no limits of their own; CIDR notation. */
  readonly exempt: readonly string[];
}

/** The `[limits]` table. */
export const limitsSchema = table({
  message_size: size({ minBytes: 65536 }).default("50MiB").describe("Largest accepted message."),
  recipients: wholeNumber({ min: 1, max: MOST_RECIPIENTS }).default(1000)
    .describe("Recipients of one message; at most 65,536."),
  received_hops: count().default(100)
    .describe(
      "Received fields above which a message is refused as a mail loop (RFC 5321 6.3). More than " +
        "5 of this relay itself are a loop, too.",
    ),
  errors: count().default(20).describe(
    "Refused commands that end a session. Recipients above a limit do not count.",
  ),
  commands: count().default(10_000)
    .describe("Commands without an accepted message that end a session."),
  messages: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).default(100_000)
    .describe("Messages in one session; 0 disables the limit."),
  session_size: size().default("0B")
    .describe("Octets of all messages in one session; 0 disables the limit."),
  min_deliver_by: duration().default("1m")
    .describe("Shortest accepted deadline of DELIVERBY with return (RFC 2852)."),
  max_hold: duration().default("30d")
    .describe("Longest accepted FUTURERELEASE hold (RFC 4865); 0 disables it."),
  command_line: size({ minBytes: 512 }).default("512B")
    .describe("Longest command line; extensions add to it (RFC 5321 4.5.3.1.4)."),
  exempt: listOf(network()).default([])
    .describe("Networks without limits for each client. Limits of the listener still apply."),
  client: ratesSchema("each client"),
  listener: ratesSchema("all clients of a listener together"),
}).prefault({}).describe("Limits of messages, sessions and clients.");

export function limitsConfig(doc: z.output<typeof limitsSchema>): LimitsConfig {
  return {
    messageSizeBytes: sizeBytes(doc.message_size),
    recipients: doc.recipients,
    receivedHops: doc.received_hops,
    errors: doc.errors,
    commands: doc.commands,
    messages: doc.messages,
    sessionSizeBytes: sizeBytes(doc.session_size),
    minDeliverByMs: durationMs(doc.min_deliver_by),
    maxHoldMs: durationMs(doc.max_hold),
    commandLineBytes: sizeBytes(doc.command_line),
    client: ratesConfig(doc.client),
    listener: ratesConfig(doc.listener),
    exempt: doc.exempt,
  };
}
