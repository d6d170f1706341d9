/** What tests of signatures share: keys, their records, and messages run through a verifier. */
import { Gate } from "../../src/base/gate.ts";
import { concatBytes, encodeText } from "../../src/base/bytes.ts";
import type { SealFacts } from "../../src/signing/arc/sealer.ts";
import { ArcSealer } from "../../src/signing/arc/sealer.ts";
import { type ChainResult, startChainCheck } from "../../src/signing/arc/chain.ts";
import type { TxtAnswer } from "../../src/signing/check.ts";
import { generateKey } from "../../src/signing/key.ts";
import { type DkimKey, readKeys } from "../../src/signing/keys.ts";
import { recordName, recordValue } from "../../src/signing/record.ts";
import { SigningStream } from "../../src/signing/stream.ts";
import { BodyHashes } from "../../src/signing/verify/body_hashes.ts";
import { type DkimResult, startDkimChecks } from "../../src/signing/verify/dkim_check.ts";
import type { TxtLookup } from "../../src/signing/verify/public_key.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A time that verifiers do not take for the future. */
export const CLOCK = new ManualClock(Date.now());

/** A key of `domain` with its PEM. */
export function makeKey(
  domain: string,
  type: "rsa" | "ed25519" = "rsa",
): { readonly pem: string; readonly key: DkimKey } {
  const pem = generateKey({ type });
  const [key] = readKeys([{ domain, selector: "s1", key: pem, from: null }]);
  if (key === undefined) throw new Error("no key");
  return { pem, key };
}

/** The TXT records of keys. */
export function recordsOf(keys: readonly DkimKey[]): Record<string, string> {
  return Object.fromEntries(keys.map((one) => [recordName(one), recordValue(one.key)]));
}

/** A DNS that has these records and no others. */
export function dnsOf(records: Readonly<Record<string, string>>): TxtLookup {
  return (name): Promise<TxtAnswer> => {
    const value = records[name];
    return Promise.resolve(
      value === undefined ? { kind: "nonexistent" } : { kind: "found", records: [value] },
    );
  };
}

/** What the DKIM signatures and the chain of a message are found to be. */
export async function verify(
  message: Uint8Array,
  { txt, nowMs = CLOCK.now(), cuts = [] }: {
    txt: TxtLookup;
    nowMs?: number;
    cuts?: readonly number[];
  },
): Promise<{ readonly dkim: readonly DkimResult[]; readonly chain: ChainResult }> {
  const bodies = new BodyHashes();
  let finish = (): Promise<[readonly DkimResult[], ChainResult]> => {
    throw new Error("the message has no header section");
  };
  const stream = new SigningStream((header) => {
    const dkim = startDkimChecks(header, { bodies, txt, nowMs });
    const chain = startChainCheck(header, { bodies, txt });
    finish = () => Promise.all([dkim(), chain()]);
    return { write: (chunk) => bodies.write(chunk), finish: () => Promise.resolve("") };
  });
  write(stream, message, cuts);
  await stream.finish();
  const [dkim, chain] = await finish();
  return { dkim, chain };
}

/** The message with the ARC set that a sealer puts in front of it, if it does. */
export async function seal(
  message: Uint8Array,
  { key, txt, facts = {}, cuts = [] }: {
    key: DkimKey;
    txt: TxtLookup;
    facts?: Partial<SealFacts>;
    cuts?: readonly number[];
  },
): Promise<Uint8Array> {
  const sealer = new ArcSealer({
    ...{ key, txt, clock: CLOCK, gate: new Gate(2) },
    authservId: `mx.${key.domain}`,
  });
  const known = { clientAddress: "192.0.2.1", others: () => Promise.resolve([]), ...facts };
  const stream = new SigningStream((header) => sealer.work(header, known));
  write(stream, message, cuts);
  return concatBytes([encodeText(await stream.finish()), message]);
}

function write(stream: SigningStream, message: Uint8Array, cuts: readonly number[]): void {
  const edges = [0, ...cuts, message.length];
  edges.slice(1).forEach((end, index) => stream.write(message.subarray(edges[index], end)));
}
