import { Buffer } from "node:buffer";
import type { HeaderField } from "../../mail/headers.ts";
import { canonicalField, fieldValue, type MessageHeader, relaxed } from "../header_canon.ts";
import type { BodyHashes } from "../verify/body_hashes.ts";
import { verifySignature } from "../verify/message_signature.ts";
import {
  type ParsedSeal,
  parseSeal,
  parseSignature,
  withoutSignature,
} from "../verify/parsed_signature.ts";
import { fetchKey, type KeyResult, type TxtLookup } from "../verify/public_key.ts";
import { type ArcSet, arcSets, MAX_INSTANCE } from "./sets.ts";

/** The state of a message's chain (RFC 8617 section 4.4). */
export interface ChainResult {
  readonly status: "none" | "pass" | "fail";
  /** Why it failed, in a few words of ASCII; empty otherwise. */
  readonly reason: string;
  /** The instance of a set that is added; null when none can or should be. */
  readonly nextInstance: number | null;
  /** The sets that the next seal covers; none after a failure (RFC 8617 section 5.1.2). */
  readonly sets: readonly ArcSet[];
}

/**
 * Starts to validate the chain of a message (RFC 8617 section 5.2): asks for the keys of its seals
 * and for the hash of the body. The function it returns is called when the body is over. A failure
 * of the DNS is a failure of the chain (5.2.1).
 */
export function startChainCheck(
  header: MessageHeader,
  { bodies, txt }: { bodies: BodyHashes; txt: TxtLookup },
): () => Promise<ChainResult> {
  const { sets, reason, highest, isEnded } = arcSets(header);
  const nextInstance = isEnded || highest >= MAX_INSTANCE ? null : highest + 1;
  const failed = (reason: string): ChainResult => ({
    ...{ status: "fail", reason, nextInstance, sets: [] },
  });
  if (isEnded) return () => Promise.resolve(failed("sealed as failed"));
  if (sets === null) return () => Promise.resolve(failed(reason));
  const newest = sets.at(-1);
  if (newest === undefined) {
    return () => Promise.resolve({ status: "none", reason: "", nextInstance, sets });
  }
  const checkNewest = startNewestCheck(header, { newest, bodies, txt });
  const checkSeals = sets.map((set, index) =>
    startSealCheck(header, { set, before: sets.slice(0, index), txt })
  ).toReversed();
  return async () => {
    const problems = await Promise.all([checkNewest(), ...checkSeals.map((check) => check())]);
    const problem = problems.find((one) => one !== null);
    if (problem !== undefined && problem !== null) return failed(problem);
    return { status: "pass", reason: "", nextInstance, sets };
  };
}

/** The names that an ARC-Message-Signature must not cover (RFC 8617 section 4.1.2). */
const SEAL = "arc-seal";

type Check = () => Promise<string | null>;

/** Checks the newest ARC-Message-Signature, the only one that has to be good (step 4). */
function startNewestCheck(
  header: MessageHeader,
  { newest: { instance, signature: field }, bodies, txt }: {
    newest: ArcSet;
    bodies: BodyHashes;
    txt: TxtLookup;
  },
): Check {
  const what = `signature ${instance}`;
  // The RFC names no default of its own; other validators, and their shared tests, take this one.
  const signature = parseSignature(header, { field, defaultForms: "relaxed/relaxed" });
  if ("kind" in signature) return () => Promise.resolve(`${what}: ${signature.reason}`);
  if (signature.signedNames.includes(SEAL)) {
    return () => Promise.resolve(`${what} covers a seal`);
  }
  // Others may have added anything to such a body, and a hash of each length costs its time.
  if (signature.limitBytes !== null) {
    return () => Promise.resolve(`${what} covers a part of the body`);
  }
  const body = bodies.want({ form: signature.bodyForm, limitBytes: null });
  const fetched = fetchKey(signature, txt);
  return async () => {
    const { verdict, reason } = await verifySignature(header, {
      ...{ signature, body },
      key: await fetched,
    });
    return verdict === "pass" ? null : `${what}: ${reason}`;
  };
}

/** Checks the seal of a set, which covers the sets before it, too (step 6). */
function startSealCheck(
  header: MessageHeader,
  { set, before, txt }: { set: ArcSet; before: readonly ArcSet[]; txt: TxtLookup },
): Check {
  const what = `seal ${set.instance}`;
  const seal = parseSeal(header, set.seal);
  if ("kind" in seal) return () => Promise.resolve(`${what}: ${seal.reason}`);
  // RFC 8617 section 4.1.3
  if (seal.tags.has("h")) return () => Promise.resolve(`${what} has h=`);
  const fetched = fetchKey(seal, txt);
  return async () => {
    const problem = await sealProblem(header, { set, before, seal, key: await fetched });
    return problem === null ? null : `${what}: ${problem}`;
  };
}

async function sealProblem(
  header: MessageHeader,
  { set, before, seal, key }: {
    set: ArcSet;
    before: readonly ArcSet[];
    seal: ParsedSeal;
    key: KeyResult;
  },
): Promise<string | null> {
  if (key.kind !== "key") return key.reason;
  const own = withoutSignature(`:${fieldValue(header.bytes, seal.field)}`).slice(1);
  const text = coveredText(header, before) + fieldsText(header, [set.results, set.signature]) +
    relaxed(set.seal.name, own);
  const isGood = await key.key.verify(Buffer.from(text, "latin1"), seal.signature);
  return isGood ? null : "signature did not verify";
}

/**
 * What a seal covers of the sets before its own (RFC 8617 section 5.1.1), one character for each
 * octet.
 */
export function coveredText(header: MessageHeader, sets: readonly ArcSet[]): string {
  return sets.map(({ results, signature, seal }) => fieldsText(header, [results, signature, seal]))
    .join("");
}

function fieldsText({ bytes }: MessageHeader, fields: readonly HeaderField[]): string {
  return fields.map((field) => `${canonicalField(bytes, field, "relaxed")}\r\n`).join("");
}
