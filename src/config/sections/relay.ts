import type { z } from "zod";
import { domainPattern, flag, listOf, network, table } from "../fields.ts";

/** Who may relay, and for which domains anybody may. */
export interface RelayConfig {
  /** Clients in these networks may send to any domain; CIDR notation. */
  readonly networks: readonly string[];
  /** Domains that any client may send to: `example.net`, `*.example.net` or `*`. */
  readonly domains: readonly string[];
  /** Whether Bcc fields stay in messages of clients that may send to any domain. */
  readonly keepBcc: boolean;
}

/** The `[relay]` table. */
export const relaySchema = table({
  networks: listOf(network()).default(["127.0.0.0/8", "::1/128"])
    .describe("Networks whose clients may relay to any domain."),
  domains: listOf(domainPattern()).default([])
    .describe("Domains that any client may relay to."),
  keep_bcc: flag().default(false)
    .describe("Keep Bcc fields in mail of clients that may relay to any domain."),
}).prefault({}).describe("Relay permissions.");

export function relayConfig(doc: z.output<typeof relaySchema>): RelayConfig {
  return {
    networks: doc.networks,
    domains: doc.domains.map((name) => name.toLowerCase()),
    keepBcc: doc.keep_bcc,
  };
}
