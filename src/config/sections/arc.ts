import type { z } from "zod";
import { flag, hostname, listOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";
import { selector, signingKey } from "./dkim.ts";

/** Who seals relayed mail (RFC 8617). */
export interface ArcConfig {
  /** The domain that seals, in lower case. */
  readonly domain: string;
  readonly selector: string;
  /** PEM. */
  readonly key: string;
  /** Names of listeners whose mail is sealed; null for all of them. */
  readonly listeners: readonly string[] | null;
  /** Whether mail of those who may send to anybody is sealed where no `[[dkim]]` key signs it. */
  readonly trusted: boolean;
}

/** The `[arc]` table. */
export const arcSchema = table({
  domain: hostname().describe("Domain that seals (d=)."),
  selector: selector(),
  key: secret(signingKey()).describe(
    "Private key in PEM; use a reference. RSA is recommended because few receivers verify " +
      "Ed25519 seals.",
  ),
  listeners: listOf(text({ expected: "the name of a listener" }), { atLeastOne: "listener" })
    .optional().describe("Listeners whose mail is sealed. Default: all."),
  trusted: flag().default(false).describe(
    "Also seal mail of clients that may relay to any domain when no [[dkim]] key signs it, " +
      "such as mail of a mailing list.",
  ),
}).optional().describe("ARC seals for mail in transit (RFC 8617). Default: none.");

export function arcConfig(doc: z.output<typeof arcSchema>): ArcConfig | null {
  if (doc === undefined) return null;
  const { domain, selector, key, listeners, trusted } = doc;
  return {
    domain: domain.toLowerCase(),
    selector: selector.toLowerCase(),
    ...{ key, trusted },
    listeners: listeners ?? null,
  };
}
