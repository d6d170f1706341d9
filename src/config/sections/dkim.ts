import { createPrivateKey } from "node:crypto";
import type { z } from "zod";
import { domainPattern, hostname, listOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";

/** A key that signs messages (RFC 6376). */
export interface DkimConfig {
  /** The signing domain, in lower case. */
  readonly domain: string;
  readonly selector: string;
  /** PEM. */
  readonly key: string;
  /** Domains of From whose mail it signs; null for its own and those below it. */
  readonly from: readonly string[] | null;
}

/** RFC 8301 section 3.2: verifiers ignore shorter keys. */
const LEAST_RSA_BITS = 1024;

/** The name of a key in the DNS. */
export function selector(): z.ZodString {
  return text({
    expected: `a selector such as "2026a"`,
    isValid: (value) => /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(value),
  }).describe("Selector of the key; its record is SELECTOR._domainkey.DOMAIN.");
}

/** A private key that signs. */
export function signingKey(): z.ZodString {
  return text({
    expected: `a private key in PEM, RSA of at least ${LEAST_RSA_BITS} bits or Ed25519`,
    isValid: isKey,
  });
}

const dkim = table({
  domain: hostname().describe("Domain that signs (d=)."),
  selector: selector(),
  key: secret(signingKey()).describe(
    "Private key in PEM: Ed25519, or RSA of at least 1024 bits (2048 recommended); use a " +
      "reference.",
  ),
  from: listOf(domainPattern(), { atLeastOne: "domain" }).optional().describe(
    "Author domains whose mail the key signs. Default: domain, and its subdomains that have " +
      "no key of their own.",
  ),
});

/** The `[[dkim]]` tables. */
export const dkimSchema = listOf(dkim).default([])
  .describe("DKIM keys for mail of clients that may relay to any domain.");

export function dkimConfig(doc: z.output<typeof dkim>): DkimConfig {
  const { domain, selector, key, from } = doc;
  return {
    domain: domain.toLowerCase(),
    selector: selector.toLowerCase(),
    key,
    from: from ?? null,
  };
}

function isKey(value: string): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(value);
    return asymmetricKeyType === "ed25519" || (asymmetricKeyType === "rsa" &&
      (asymmetricKeyDetails?.modulusLength ?? 0) >= LEAST_RSA_BITS);
  } catch {
    return false;
  }
}
