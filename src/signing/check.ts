import type { DkimKey } from "./keys.ts";
import { parseRecord, recordName, recordValue } from "./record.ts";

/** What the DNS said of a name. */
export type TxtAnswer =
  | { readonly kind: "found"; readonly records: readonly string[] }
  | { readonly kind: "none" | "nonexistent" }
  | { readonly kind: "temporary"; readonly reason: string };

/** Whether receivers can verify what a key signs. */
export interface KeyCheck {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  /** The name of the record. */
  readonly name: string;
  readonly verdict: "ok" | "warning" | "wrong" | "unknown";
  /** One sentence for people. */
  readonly detail: string;
  /** What the record should be. */
  readonly wanted: string;
}

/** Holds a key against its record. */
export async function checkKey(
  { domain, selector, key }: DkimKey,
  txt: (name: string) => Promise<TxtAnswer>,
): Promise<KeyCheck> {
  const name = recordName({ domain, selector });
  const judged = judge(await txt(name), key);
  const { algorithm } = key;
  return { domain, selector, algorithm, name, ...judged, wanted: recordValue(key) };
}

function judge(
  answer: TxtAnswer,
  { type, publicKey }: DkimKey["key"],
): Pick<KeyCheck, "verdict" | "detail"> {
  if (answer.kind === "temporary") {
    return { verdict: "unknown", detail: `The DNS does not answer: ${answer.reason}` };
  }
  if (answer.kind !== "found") return { verdict: "wrong", detail: "There is no such record" };
  const keys = answer.records.flatMap((record) => parseRecord(record) ?? []);
  const [only] = keys;
  if (only === undefined) return { verdict: "wrong", detail: "The record holds no DKIM key" };
  if (keys.length > 1) {
    return { verdict: "wrong", detail: "There are several records; verifiers may take either" };
  }
  if (only.publicKey === "") {
    return { verdict: "wrong", detail: "The key was revoked (p= is empty)" };
  }
  if (only.type !== type || only.publicKey !== publicKey) {
    return { verdict: "wrong", detail: "The record is of another key" };
  }
  if (only.isTest) {
    return { verdict: "warning", detail: "The record says t=y, so failures count for nothing" };
  }
  return { verdict: "ok", detail: "The record is of this key" };
}
