import type { HeaderField } from "../../mail/headers.ts";
import type { MessageHeader } from "../header_canon.ts";
import type { BodyHashes } from "./body_hashes.ts";
import { type Verified, verifySignature } from "./message_signature.ts";
import { type ParsedSignature, parseSignature } from "./parsed_signature.ts";
import { fetchKey, type KeyResult, type TxtLookup } from "./public_key.ts";

/** The result of one DKIM signature. */
export interface DkimResult extends Verified {
  /** Empty when the field cannot be read. */
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  /** The beginning of `b=`, which tells signatures apart (RFC 6008). */
  readonly signature: string;
}

/** Further signatures are not looked at (RFC 6376 section 6.1 lets verifiers limit them). */
const MAX_SIGNATURES = 10;

/** What checking needs. */
export interface CheckServices {
  readonly txt: TxtLookup;
  readonly nowMs: number;
}

/**
 * Starts to check the DKIM signatures of a message: asks for their keys and for hashes of the body.
 * The function it returns is called when the body is over.
 */
export function startDkimChecks(
  header: MessageHeader,
  { bodies, ...services }: CheckServices & { bodies: BodyHashes },
): () => Promise<readonly DkimResult[]> {
  const checks = header.fields.filter(({ name }) => name.toLowerCase() === "dkim-signature")
    .slice(0, MAX_SIGNATURES).map((field) => startCheck(header, { field, bodies, ...services }));
  return () => Promise.all(checks.map((finish) => finish()));
}

function startCheck(
  header: MessageHeader,
  { field, bodies, txt, nowMs }: CheckServices & { field: HeaderField; bodies: BodyHashes },
): () => Promise<DkimResult> {
  const signature = parseSignature(header, { field, defaultForms: "simple" });
  if ("kind" in signature) {
    const none = { domain: "", selector: "", algorithm: "", signature: "" };
    return () => Promise.resolve({ ...none, verdict: "permerror", reason: signature.reason });
  }
  const facts = {
    domain: signature.domain,
    selector: signature.selector,
    algorithm: `${signature.keyType}-sha256`,
    signature: signature.signature.toBase64().slice(0, 8),
  };
  const problem = problemOf(signature, nowMs);
  if (problem !== null) return () => Promise.resolve({ ...facts, ...problem });
  // A sender that may add to a body signed in part may say anything (RFC 6376 section 8.2), so
  // such a signature counts for nothing, and costs nothing: no hash, no key.
  if (signature.limitBytes !== null) {
    const reason = "only a part of the body is signed";
    return () => Promise.resolve({ ...facts, verdict: "policy", reason });
  }
  const body = bodies.want({ form: signature.bodyForm, limitBytes: null });
  const fetched = fetchKey(signature, txt);
  return async () => {
    const key = await fetched;
    const verified = strictnessOf(signature, key) ??
      await verifySignature(header, { signature, key, body });
    return { ...facts, ...verified };
  };
}

/** What is wrong with a signature whatever its key says (RFC 6376 section 6.1.1). */
function problemOf({ tags, domain }: ParsedSignature, nowMs: number): Verified | null {
  if (tags.get("v") !== "1") return { verdict: "permerror", reason: "unknown version" };
  const identity = identityDomain(tags, domain);
  if (identity !== domain && !identity.endsWith(`.${domain}`)) {
    return { verdict: "permerror", reason: "i= outside of d=" };
  }
  const methods = tags.get("q")?.split(":").map((method) => method.trim());
  if (methods !== undefined && !methods.includes("dns/txt")) {
    return { verdict: "permerror", reason: "unknown query method" };
  }
  const expiry = Number(tags.get("x") ?? Infinity);
  if (nowMs / 1000 > expiry) return { verdict: "fail", reason: "signature expired" };
  return null;
}

/** A key with `t=s` signs for its own domain alone (RFC 6376 section 3.6.1). */
function strictnessOf({ tags, domain }: ParsedSignature, key: KeyResult): Verified | null {
  const isStrict = key.kind === "key" && key.key.record.isStrict;
  if (!isStrict || identityDomain(tags, domain) === domain) return null;
  return { verdict: "permerror", reason: "i= must be d= with this key" };
}

function identityDomain(tags: ReadonlyMap<string, string>, domain: string): string {
  const identity = tags.get("i");
  return identity === undefined
    ? domain
    : identity.slice(identity.lastIndexOf("@") + 1).toLowerCase();
}
