import type { HeaderField } from "../../mail/headers.ts";
import { fieldValue, type MessageHeader } from "../header_canon.ts";
import { parseTags } from "../tags.ts";

/** RFC 8617 section 4.2.1. */
export const MAX_INSTANCE = 50;

/** What one custodian added to a message (RFC 8617 section 4.2). */
export interface ArcSet {
  readonly instance: number;
  readonly results: HeaderField;
  readonly signature: HeaderField;
  readonly seal: HeaderField;
  /** What the seal says of the sets before it. */
  readonly cv: string;
}

/** The ARC sets that a message has. */
export interface ArcSets {
  /** From the first on; null when they do not form a chain. */
  readonly sets: readonly ArcSet[] | null;
  /** Why they do not; empty when they do. */
  readonly reason: string;
  /** The highest instance number there is; 0 for none. */
  readonly highest: number;
  /** Whether the newest seal says that the chain is broken, so that nobody goes on with it. */
  readonly isEnded: boolean;
}

const NAMES = ["arc-authentication-results", "arc-message-signature", "arc-seal"] as const;
type ArcName = typeof NAMES[number];

interface ArcField {
  readonly name: ArcName;
  readonly field: HeaderField;
  /** Null when it has none, or one that no set can have. */
  readonly instance: number | null;
}

/** Finds the ARC sets of a message and checks that they form a chain (RFC 8617 5.2, 1 to 3). */
export function arcSets(header: MessageHeader): ArcSets {
  const found = arcFields(header);
  const highest = Math.max(0, ...found.map(({ instance }) => instance ?? 0));
  const sets: ArcSet[] = [];
  let reason = found.some(({ instance }) => instance === null) ? "bad instance" : "";
  for (let instance = 1; instance <= highest && reason === ""; instance++) {
    const set = setOf(header, { found, instance });
    if (typeof set === "string") reason = set;
    else sets.push(set);
  }
  const newest = found.filter(({ name, instance }) => name === "arc-seal" && instance === highest);
  const isEnded = newest.some(({ field }) => sealStatus(header, field) === "fail");
  return { sets: reason === "" ? sets : null, reason, highest, isEnded };
}

function arcFields(header: MessageHeader): ArcField[] {
  return header.fields.flatMap((field) => {
    const lowerName = field.name.toLowerCase();
    const name = NAMES.find((known) => known === lowerName);
    if (name === undefined) return [];
    return [{ name, field, instance: instanceOf(name, fieldValue(header.bytes, field)) }];
  });
}

/** The AAR says it first (RFC 8617 section 4.1.1), the others anywhere among their tags. */
function instanceOf(name: ArcName, value: string): number | null {
  const text = name === "arc-authentication-results"
    ? /^[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*(\d{1,3})[ \t\r\n]*;/.exec(value)?.[1]
    : parseTags(value)?.get("i");
  if (text === undefined || !/^\d{1,3}$/.test(text)) return null;
  const instance = Number(text);
  return instance >= 1 && instance <= MAX_INSTANCE ? instance : null;
}

function setOf(
  header: MessageHeader,
  { found, instance }: { found: readonly ArcField[]; instance: number },
): ArcSet | string {
  const fields = found.filter((field) => field.instance === instance);
  const [results, signature, seal] = NAMES.map((wanted) => {
    const [only, ...more] = fields.filter(({ name }) => name === wanted);
    return more.length === 0 ? only?.field : undefined;
  });
  if (results === undefined || signature === undefined || seal === undefined) {
    return `set ${instance} is not complete`;
  }
  const cv = sealStatus(header, seal);
  // RFC 8617 section 5.2 step 3.3
  if (cv !== (instance === 1 ? "none" : "pass")) return `seal ${instance} has the wrong cv`;
  return { instance, results, signature, seal, cv };
}

function sealStatus({ bytes }: MessageHeader, seal: HeaderField): string {
  return (parseTags(fieldValue(bytes, seal))?.get("cv") ?? "").toLowerCase();
}
