import { domainPattern, flag, isHostname, listOf, oneOf, table, text } from "../fields.ts";
import { secret } from "../secrets.ts";

/** What TLS is asked for. */
export type TlsWord =
  | "none"
  | "opportunistic"
  | "required"
  | "verified"
  | "fingerprint"
  | "dane";

/** What is asked of connections to some hosts. */
export interface TlsRuleConfig {
  readonly level: TlsWord;
  /** Names that certificates must be for; null for the host's own and its domain. */
  readonly names: readonly string[] | null;
  /** SHA-256 of the DER form of certificates, lower-case hex without colons. */
  readonly fingerprints: readonly string[];
}

/** The TLS settings of a transport. */
export interface TlsConfig {
  readonly rule: TlsRuleConfig;
  /** Whether TLS begins with the first octet. */
  readonly implicit: boolean;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** PEM roots in place of the public ones; null for those. */
  readonly ca: string | null;
  /** What this relay shows of itself, PEM. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | null;
}

const WORDS = ["none", "opportunistic", "required", "verified", "fingerprint", "dane"] as const;

const SHA256_HEX = /^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i;

const names = listOf(
  text({
    expected: `a host name such as "mx.example.net" or "*.example.net"`,
    isValid: (value) => isHostname(value.replace(/^\*\./, "")),
  }),
  { atLeastOne: "host name" },
).optional().describe("Names accepted in a verified certificate. Default: the server's name.");

const fingerprints = listOf(
  text({
    expected: "a SHA-256 fingerprint of 64 hexadecimal digits",
    isValid: (value) => SHA256_HEX.test(value),
  }),
).default([]).describe("SHA-256 fingerprints of the accepted certificates.");

interface TextRules {
  readonly expected: string;
  readonly isValid: (value: string) => boolean;
}

/** Text in PEM (RFC 7468) whose label ends in `label`. */
/** A text with a block of PEM (RFC 7468). */
export function pem(label: string): TextRules {
  const begin = new RegExp(`-----BEGIN [A-Z ]*${label}-----`);
  return {
    expected: `a ${label.toLowerCase()} in PEM, such as { file = "relay.pem" }`,
    isValid: (value) => begin.test(value),
  };
}

/** The TLS keys of all transports that speak SMTP. */
export const tlsKeys = {
  tls_names: names,
  tls_fingerprints: fingerprints,
  tls_min_version: oneOf(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2")
    .describe("Oldest TLS version used."),
  tls_ca: text(pem("CERTIFICATE")).optional().describe(
    "Trusted roots instead of the public ones, in PEM.",
  ),
  tls_certificate: text(pem("CERTIFICATE")).optional()
    .describe("Client certificate of this relay in PEM, followed by its intermediates."),
  tls_key: secret(text(pem("PRIVATE KEY"))).optional().describe("Key of the certificate in PEM."),
};

/** `tls` of transports whose servers are looked up. */
export const tlsLevel = oneOf(WORDS).default("opportunistic")
  .describe("TLS requirement for connections.");

/** `tls` of transports whose servers are given. */
export const tlsLevelOrImplicit = oneOf([...WORDS, "implicit"]).optional().describe(
  "TLS requirement for connections. Default: verified with a login, else opportunistic. " +
    "implicit is verified TLS from the first octet.",
);

/** TLS from the first octet with another level than `verified`. */
export const tlsImplicit = flag().default(false)
  .describe("Start TLS with the first octet instead of STARTTLS.");

/** Keys of `mx` alone. */
export const mxTlsKeys = {
  dane: flag().default(true)
    .describe("Verify servers by TLSA records that DNSSEC authenticates (RFC 7672)."),
  mta_sts: flag().default(true)
    .describe("Enforce the MTA-STS policies of recipient domains (RFC 8461)."),
};

/** `[[transports.NAME.tls_overrides]]`. */
export const tlsOverrides = listOf(table({
  domain: domainPattern().describe("Recipient domain; *.example.net for subdomains."),
  tls: oneOf(WORDS).describe("TLS requirement for the domain."),
  tls_names: names,
  tls_fingerprints: fingerprints,
})).default([]).describe("TLS rules for some recipient domains; the first match wins.");

/** The values of `tlsKeys`. */
interface TlsDoc {
  readonly tls_names?: readonly string[] | undefined;
  readonly tls_fingerprints: readonly string[];
}

export function tlsRule(doc: TlsDoc & { readonly tls: TlsWord }): TlsRuleConfig {
  return {
    level: doc.tls,
    names: doc.tls_names?.map((name) => name.toLowerCase()) ?? null,
    fingerprints: doc.tls_fingerprints.map((hex) => hex.replaceAll(":", "").toLowerCase()),
  };
}

export function tlsConfig(
  doc: TlsDoc & {
    readonly tls: TlsWord | "implicit";
    readonly tls_implicit?: boolean;
    readonly tls_min_version: "TLSv1.2" | "TLSv1.3";
    readonly tls_ca?: string | undefined;
    readonly tls_certificate?: string | undefined;
    readonly tls_key?: string | undefined;
  },
): TlsConfig {
  const { tls_certificate: certificate, tls_key: key } = doc;
  const tls = doc.tls === "implicit" ? "verified" : doc.tls;
  return {
    rule: tlsRule({ ...doc, tls }),
    implicit: doc.tls === "implicit" || doc.tls_implicit === true,
    minVersion: doc.tls_min_version,
    ca: doc.tls_ca ?? null,
    clientCertificate: certificate === undefined || key === undefined ? null : { certificate, key },
  };
}
