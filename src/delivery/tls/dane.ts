import { createHash, X509Certificate } from "node:crypto";
import { dnsNames } from "../../net/tls_info.ts";
import type { TlsaRecord } from "../../net/resolver.ts";
import { isForName } from "./certificate_names.ts";

/** RFC 6698 section 2.1.1, the two usages that SMTP knows (RFC 7672 section 3.1). */
const DANE_TA = 2;
const DANE_EE = 3;

/** Why a certificate is not the one that the DNS vouches for. */
export type DaneMismatch = "not_matched" | "wrong_name" | "expired";

/** Whether a client of SMTP can use a record (RFC 7672 section 3.1). */
export function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  return (usage === DANE_TA || usage === DANE_EE) && (selector === 0 || selector === 1) &&
    (matchingType === 0 || DIGESTS[matchingType]?.lengthBytes === data.length);
}

const DIGESTS: Readonly<Record<number, { readonly name: string; readonly lengthBytes: number }>> = {
  1: { name: "sha256", lengthBytes: 32 },
  2: { name: "sha512", lengthBytes: 64 },
};

/**
 * Holds a certificate chain, in DER and the host's own first, against usable records. Null when
 * it is what the DNS vouches for.
 */
export function daneMismatch(
  chain: readonly Uint8Array[],
  { records, names }: { records: readonly TlsaRecord[]; names: readonly string[] },
): DaneMismatch | null {
  const certificates = chain.map((der) => new X509Certificate(der));
  const [own] = certificates;
  if (own === undefined) return "not_matched";
  // RFC 7672 section 3.1.1: for the host's own certificate neither names nor dates count.
  if (matches(own, records.filter(({ usage }) => usage === DANE_EE))) return null;
  const anchors = records.filter(({ usage }) => usage === DANE_TA);
  const anchorAt = certificates.findIndex((certificate) => matches(certificate, anchors));
  if (anchorAt < 0) return "not_matched";
  const path = certificates.slice(0, anchorAt + 1);
  if (!isIssuedThrough(path)) return "not_matched";
  if (!path.every(isInDate)) return "expired";
  const presented = dnsNames(own);
  return names.some((name) => isForName(presented, name)) ? null : "wrong_name";
}

function matches(certificate: X509Certificate, records: readonly TlsaRecord[]): boolean {
  return records.some(({ selector, matchingType, data }) => {
    const selected = selector === 0
      ? new Uint8Array(certificate.raw)
      : certificate.publicKey.export({ type: "spki", format: "der" });
    const digest = DIGESTS[matchingType];
    const found = digest === undefined
      ? selected
      : createHash(digest.name).update(selected).digest();
    return found.length === data.length && found.every((octet, index) => octet === data[index]);
  });
}

/** Whether each certificate was issued by the next one (RFC 7672 section 3.1.2). */
function isIssuedThrough(path: readonly X509Certificate[]): boolean {
  return path.slice(1).every((issuer, index) => {
    const issued = path[index];
    return issued !== undefined && issuer.ca && issued.issuer === issuer.subject &&
      issued.verify(issuer.publicKey);
  });
}

function isInDate({ validFrom, validTo }: X509Certificate): boolean {
  const nowMs = Date.now();
  return nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo);
}
