import type { KeyPair, TlsMinVersion } from "../../net/conn.ts";
import type { TlsaRecord } from "../../net/resolver.ts";

/** What a configuration may ask of connections; each asks for more than the one before. */
export const TLS_LEVELS = [
  /** Never TLS. */
  "none",
  /** TLS where offered, with any certificate (RFC 7435). */
  "opportunistic",
  /** TLS with any certificate, or no delivery. */
  "required",
  /** TLS with a certificate that chains to a trusted root and fits the name. */
  "verified",
  /** TLS with one of some certificates. */
  "fingerprint",
  /** TLS with a certificate that the DNS vouches for (RFC 7672). */
  "dane",
] as const;
export type TlsLevel = typeof TLS_LEVELS[number];

/** What a connection to one host must come to before mail goes over it. */
export type TlsPolicy =
  | { readonly level: "none" | "opportunistic" | "required" }
  | {
    readonly level: "verified";
    /**
     * The certificate must be for one of them (RFC 9525): names of hosts, or `*.example.net` for
     * any one label before it.
     */
    readonly names: readonly string[];
    /** Who asks for it. */
    readonly by: "config" | "mta_sts";
  }
  /** SHA-256 of the DER form of certificates, lower-case hex. */
  | { readonly level: "fingerprint"; readonly fingerprints: readonly string[] }
  | {
    readonly level: "dane";
    /** Those that can be used (RFC 7672 section 3.1); at least one. */
    readonly records: readonly TlsaRecord[];
    /** Names that a certificate below a trust anchor may be for (section 3.2.3). */
    readonly names: readonly string[];
  };

/** What the connections of one transport have in common. */
export interface TlsSettings {
  /** TLS from the first octet, as on port 465 (RFC 8314 section 3). */
  readonly implicit?: boolean;
  /** `TLSv1.2` where not given. */
  readonly minVersion?: TlsMinVersion;
  /** PEM roots in place of the public ones. */
  readonly ca?: readonly string[];
  readonly clientCertificate?: KeyPair;
}

/** How the peer of a connection was found to be the right one. */
export type TlsProof = "chain" | "mta_sts" | "fingerprint" | "dane";

/** Connections under policies with one key can stand in for each other. */
export function policyKey(policy: TlsPolicy): string {
  switch (policy.level) {
    case "none":
    case "opportunistic":
    case "required":
      return policy.level;
    case "verified":
      return `${policy.by} ${policy.names.join(",")}`;
    case "fingerprint":
      return policy.fingerprints.join(",");
    case "dane":
      return `dane ${policy.names.join(",")} ${policy.records.map(recordKey).join(",")}`;
  }
}

/** Whether no mail goes without TLS. */
export function requiresTls({ level }: TlsPolicy): boolean {
  return level !== "none" && level !== "opportunistic";
}

function recordKey({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage}.${selector}.${matchingType}.${data.toHex()}`;
}
