import { Buffer } from "node:buffer";
import type { MessageHeader } from "../header_canon.ts";
import type { DkimKey } from "../keys.ts";
import {
  canonicalText,
  fieldsToSign,
  signedFields,
  unsignedField,
  withSignature,
} from "../signature.ts";
import { coveredText } from "./chain.ts";
import type { ArcSet } from "./sets.ts";

/** What a new set is made of. */
export interface SetFacts {
  readonly header: MessageHeader;
  /** In base64, relaxed. */
  readonly bodyHash: string;
  readonly instance: number;
  readonly cv: "none" | "pass" | "fail";
  /** The sets before that its seal covers (RFC 8617 sections 5.1.1 and 5.1.2). */
  readonly sets: readonly ArcSet[];
  /** The ARC-Authentication-Results field, with its line break. */
  readonly results: string;
  readonly key: Pick<DkimKey, "domain" | "selector" | "key">;
  readonly nowMs: number;
}

/** Makes the three fields of an ARC set (RFC 8617 section 5.1), the newest on top. */
export async function makeArcSet(facts: SetFacts): Promise<string> {
  const message = await messageSignature(facts);
  const seal = await arcSeal(facts, message);
  return seal + message + facts.results;
}

async function messageSignature(facts: SetFacts): Promise<string> {
  const { header, instance, key: { key }, bodyHash } = facts;
  const { fields } = header;
  // RFC 8617 section 4.1.2: DKIM-Signature should be covered, what is ARC's must not.
  const dkim = fields.filter(({ name }) => name.toLowerCase() === "dkim-signature")
    .map((field) => ({ name: "dkim-signature", field })).toReversed();
  const signed = signedFields(header, [...fieldsToSign(fields), ...dkim]);
  const signature = {
    fieldName: "ARC-Message-Signature",
    tags: [
      ["i", String(instance)],
      ["a", key.algorithm],
      ["c", "relaxed/relaxed"],
      ...signerTags(facts),
    ],
    signed,
    bodyHash,
  } as const;
  const unsigned = unsignedField(signature);
  const text = signed.text + canonicalText(unsigned);
  return withSignature(unsigned, await key.sign(Buffer.from(text, "latin1")));
}

async function arcSeal(facts: SetFacts, message: string): Promise<string> {
  const { header, instance, cv, sets, results, key: { key } } = facts;
  const unsigned = unsignedField({
    fieldName: "ARC-Seal",
    tags: [
      ["i", String(instance)],
      ["a", key.algorithm],
      ["cv", cv],
      ...signerTags(facts),
    ],
    signed: null, // RFC 8617 section 4.1.3: neither h= nor bh=
    bodyHash: null,
  });
  const text = coveredText(header, sets) +
    [results, message].map((field) => `${canonicalText(field)}\r\n`).join("") +
    canonicalText(unsigned);
  return withSignature(unsigned, await key.sign(Buffer.from(text, "latin1")));
}

function signerTags(
  { key: { domain, selector }, nowMs }: SetFacts,
): readonly (readonly [string, string])[] {
  return [["d", domain], ["s", selector], ["t", String(Math.floor(nowMs / 1000))]];
}
