import type { z } from "zod";
import { domainPattern, listOf, network, table } from "../fields.ts";

/** Who may relay, and for which domains anybody may. */
export interface RelayConfig {
  /** Clients in these networks may send to any domain; CIDR notation. */
  readonly networks: readonly string[];
  /** Domains that any client may send to: `example.net`, `*.example.net` or `*`. */
  readonly domains: readonly string[];
}

/** The `[relay]` table. */
export const relaySchema = table({
  networks: listOf(network()).default(["127.0.0.0/8", "::1/128"])
    .describe("Networks whose clients may send to any domain."),
  domains: listOf(domainPattern()).default([])
    .describe("Domains that any client may send to."),
}).prefault({}).describe("Who may relay.");

export function relayConfig(doc: z.output<typeof relaySchema>): RelayConfig {
  return { networks: doc.networks, domains: doc.domains.map((name) => name.toLowerCase()) };
}
