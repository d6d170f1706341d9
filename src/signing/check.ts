import type { DkimKey } from "./keys.ts";
import { type KeyRecord, parseRecord, recordName, recordValue } from "./record.ts";

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

type Judgement = Pick<KeyCheck, "verdict" | "detail">;

function judge(answer: TxtAnswer, key: DkimKey["key"]): Judgement {
  if (answer.kind === "temporary") {
    return { verdict: "unknown", detail: `The DNS does not answer: ${answer.reason}` };
  }
  if (answer.kind !== "found") return wrong("There is no such record");
  const keys = answer.records.flatMap((record) => parseRecord(record) ?? []);
  const [only] = keys;
  if (only === undefined) return wrong("The record contains no DKIM key (v=DKIM1; k=…; p=…)");
  if (keys.length > 1) return wrong("There are several records; verifiers may use either");
  const problem = problemOf(only, key);
  if (problem !== null) return wrong(problem);
  if (only.isTest) {
    return {
      verdict: "warning",
      detail: "The record contains t=y (test mode), so failures are ignored",
    };
  }
  if (key.isShort) {
    const detail = "The record matches this key, which is short; use RSA keys of 2048 bits";
    return { verdict: "warning", detail };
  }
  return { verdict: "ok", detail: "The record matches this key" };
}

function wrong(detail: string): Judgement {
  return { verdict: "wrong", detail };
}

/** Why signatures of a key do not verify with a record; null when they do. */
function problemOf(record: KeyRecord, { type, publicKey }: DkimKey["key"]): string | null {
  if (record.publicKey === "") return "The key was revoked (p= is empty)";
  if (record.type !== type) return `The record has k=${record.type}, but the key is ${type}`;
  if (record.publicKey !== publicKey) {
    return publicKey.startsWith(record.publicKey)
      ? "The record contains only the first part of the key; another string starts after 255 " +
        "octets"
      : "The record belongs to another key";
  }
  if (!record.takesSha256) return "The record does not allow SHA-256 (h=)";
  return record.isForMail ? null : "The record is not for mail (s=)";
}
