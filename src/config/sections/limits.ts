import type { z } from "zod";
import { count, listOf, network, size, table } from "../fields.ts";
import { sizeBytes } from "../units.ts";
import { type RatesConfig, ratesConfig, ratesSchema } from "./rates.ts";

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
  message_size: size({ minBytes: 65536 }).default("50MiB").describe("Largest message accepted."),
  recipients: count().default(1000).describe("Recipients of one message."),
  received_hops: count().default(100)
    .describe("Received fields above which a message is taken for looping (RFC 5321 6.3)."),
  errors: count().default(20).describe("Refused commands after which a session is ended."),
  command_line: size({ minBytes: 512 }).default("512B")
    .describe("Longest command line; extensions add to it (RFC 5321 4.5.3.1.4)."),
  exempt: listOf(network()).default([])
    .describe("Networks whose clients have no limits of their own; those of the listener count."),
  client: ratesSchema("each client"),
  listener: ratesSchema("all clients of a listener together"),
}).prefault({}).describe("What messages, sessions and clients may take.");

export function limitsConfig(doc: z.output<typeof limitsSchema>): LimitsConfig {
  return {
    messageSizeBytes: sizeBytes(doc.message_size),
    recipients: doc.recipients,
    receivedHops: doc.received_hops,
    errors: doc.errors,
    commandLineBytes: sizeBytes(doc.command_line),
    client: ratesConfig(doc.client),
    listener: ratesConfig(doc.listener),
    exempt: doc.exempt,
  };
}
