import { Buffer } from "node:buffer";
import type { HeaderField } from "../../mail/headers.ts";
import type { BodyHash } from "../body_hash.ts";
import { canonicalField, fieldValue, type MessageHeader, relaxed } from "../header_canon.ts";
import { type ParsedSignature, withoutSignature } from "./parsed_signature.ts";
import type { KeyResult } from "./public_key.ts";

/** What a check came to (RFC 8601 section 2.7.1). */
export type Verdict = "pass" | "fail" | "policy" | "neutral" | "temperror" | "permerror";

/** A verdict with its reason in a few words of ASCII; empty for a pass. */
export interface Verified {
  readonly verdict: Verdict;
  readonly reason: string;
}

export const PASS: Verified = { verdict: "pass", reason: "" };

/** Checks a signature over fields and body, with its key and the body's hash (RFC 6376 6.1.3). */
export async function verifySignature(
  header: MessageHeader,
  { signature, key, body }: {
    signature: ParsedSignature;
    key: KeyResult;
    body: BodyHash;
  },
): Promise<Verified> {
  if (key.kind !== "key") return { verdict: key.kind, reason: key.reason };
  const bodyHash = body.end();
  if (bodyHash === null) return { verdict: "permerror", reason: "body shorter than l=" };
  if (bodyHash !== signature.bodyHash) {
    return { verdict: "fail", reason: "body hash did not verify" };
  }
  const text = signedTextOf(header, signature);
  const isGood = await key.key.verify(Buffer.from(text, "latin1"), signature.signature);
  return isGood ? PASS : { verdict: "fail", reason: "signature did not verify" };
}

/** The octets that were signed (RFC 6376 section 3.7), one character for each. */
function signedTextOf(
  header: MessageHeader,
  { field, headerForm, signedNames }: ParsedSignature,
): string {
  const { bytes } = header;
  let text = "";
  for (const signed of signedFields(header, signedNames)) {
    text += `${canonicalField(bytes, signed, headerForm)}\r\n`;
  }
  const own = withoutSignature(`:${fieldValue(bytes, field)}`).slice(1);
  if (headerForm === "relaxed") return text + relaxed(field.name, own);
  return text + canonicalField(bytes, { ...field, valueEnd: field.valueStart }, "simple") + own;
}

/** The fields that the names stand for, several of one name from the last up (RFC 6376 5.4.2). */
function signedFields(
  { fields }: MessageHeader,
  names: readonly string[],
): readonly HeaderField[] {
  const byName = Map.groupBy(fields, ({ name }) => name.toLowerCase());
  return names.flatMap((name) => byName.get(name)?.pop() ?? []);
}
