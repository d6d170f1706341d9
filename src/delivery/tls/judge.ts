import type { PeerCertificate, TlsInfo } from "../../net/conn.ts";
import { isForName } from "./certificate_names.ts";
import { daneMismatch } from "./dane.ts";
import type { TlsPolicy, TlsProof } from "./policy.ts";

/** What is wrong with a connection, in the words of RFC 8460 section 4.3.1. */
export type TlsFailureType =
  | "starttls-not-supported"
  | "certificate-host-mismatch"
  | "certificate-expired"
  | "certificate-not-trusted"
  | "validation-failure";

/** Why a connection is not what its policy asks for. */
export interface TlsProblem {
  readonly type: TlsFailureType;
  /** What the host did, to go on a sentence that begins with its name. */
  readonly text: string;
}

/** What a finished handshake is worth under a policy. */
export type TlsVerdict =
  /** `proof` is null where any certificate would have done. */
  | { readonly kind: "fits"; readonly proof: TlsProof | null }
  | { readonly kind: "problem"; readonly problem: TlsProblem };

/** OpenSSL's word for a certificate that is trusted and for other names. */
const NAME_MISMATCH = "ERR_TLS_CERT_ALTNAME_INVALID";

/** Judges what the handshake with `host`, a name or an IP address, agreed on. */
export function judgeTls(tls: TlsInfo | null, { policy, host }: {
  policy: TlsPolicy;
  host: string;
}): TlsVerdict {
  switch (policy.level) {
    case "none":
    case "opportunistic":
    case "required":
      return { kind: "fits", proof: null };
    case "verified":
      return judgeChain(tls?.peer, { names: policy.names, host, by: policy.by });
    case "fingerprint":
      return judgeFingerprint(tls?.peer, policy.fingerprints);
    case "dane":
      return judgeDane(tls?.peer, policy);
  }
}

function judgeChain(
  peer: PeerCertificate | undefined,
  { names, host, by }: { names: readonly string[]; host: string; by: "config" | "mta_sts" },
): TlsVerdict {
  if (peer === undefined) return NO_CERTIFICATE;
  const isTrusted = peer.authorized || peer.reason === NAME_MISMATCH;
  if (!isTrusted) return problem(failureType(peer.reason), `is not trusted: ${peer.reason}`);
  const isForHost = peer.authorized && names.includes(host); // IP addresses among others
  if (!isForHost && !names.some((name) => isForName(peer.names, name))) {
    return problem("certificate-host-mismatch", `is for ${namesOf(peer)}, not ${names.join(", ")}`);
  }
  return { kind: "fits", proof: by === "config" ? "chain" : by };
}

function judgeFingerprint(
  peer: PeerCertificate | undefined,
  fingerprints: readonly string[],
): TlsVerdict {
  if (peer === undefined) return NO_CERTIFICATE;
  if (fingerprints.includes(peer.fingerprintSha256)) return { kind: "fits", proof: "fingerprint" };
  return problem("certificate-not-trusted", `has the fingerprint ${peer.fingerprintSha256}`);
}

function judgeDane(
  peer: PeerCertificate | undefined,
  { records, names }: Extract<TlsPolicy, { level: "dane" }>,
): TlsVerdict {
  if (peer === undefined) return NO_CERTIFICATE;
  switch (daneMismatch(peer.chain, { records, names })) {
    case null:
      return { kind: "fits", proof: "dane" };
    case "not_matched":
      return problem("validation-failure", "matches no TLSA record");
    case "expired":
      return problem("certificate-expired", "is out of date");
    case "wrong_name":
      return problem(
        "certificate-host-mismatch",
        `is for ${namesOf(peer)}, not ${names.join(", ")}`,
      );
  }
}

function failureType(reason: string | null): TlsFailureType {
  const isDated = reason === "CERT_HAS_EXPIRED" || reason === "CERT_NOT_YET_VALID";
  return isDated ? "certificate-expired" : "certificate-not-trusted";
}

const LISTED_NAMES = 5;

function namesOf({ names, subject }: PeerCertificate): string {
  if (names.length === 0) return subject;
  const more = names.length > LISTED_NAMES ? " …" : "";
  return names.slice(0, LISTED_NAMES).join(", ") + more;
}

function problem(type: TlsFailureType, text: string): TlsVerdict {
  return { kind: "problem", problem: { type, text: `has a certificate that ${text}` } };
}

const NO_CERTIFICATE: TlsVerdict = {
  kind: "problem",
  problem: { type: "validation-failure", text: "has no certificate" },
};
