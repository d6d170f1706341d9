import { unfold } from "../mail/headers.ts";

/** A field: its name in lower case, and its value, unfolded and without white space around it. */
export type ReportField = readonly [name: string, value: string];
export type FieldGroup = readonly ReportField[];

/** More than any report has that is not made to fill a memory. */
const GROUPS_LIMIT = 1_000;
const FIELDS_LIMIT = 200;
const VALUE_LIMIT_CHARS = 2_000;

/**
 * Reads groups of fields that empty lines part, as reports are written (RFC 3464 2.1, RFC 5965
 * 3.1). Lines that are no field are passed over.
 */
export function readFieldGroups(text: string): FieldGroup[] {
  const groups: FieldGroup[] = [];
  for (const block of text.split(/\r?\n(?:[ \t]*\r?\n)+/)) {
    const group = readGroup(block);
    if (group.length > 0) groups.push(group);
    if (groups.length >= GROUPS_LIMIT) break;
  }
  return groups;
}

/** The value of the first field of that name, which is in lower case; null when there is none. */
export function fieldValue(group: FieldGroup, name: string): string | null {
  return group.find(([found]) => found === name)?.[1] ?? null;
}

/** The values of all fields of that name. */
export function fieldValues(group: FieldGroup, name: string): string[] {
  return group.filter(([found]) => found === name).map(([, value]) => value);
}

/** A value with the type that says what it is: `rfc822; ada@example.net`. */
export interface TypedText {
  /** In lower case; empty where the value has none. */
  readonly type: string;
  readonly text: string;
}

/** Reads `type; value` (RFC 3464 2.1.2). Old servers leave the type away. */
export function typedText(value: string | null): TypedText | null {
  if (value === null || value === "") return null;
  const parts = /^([a-z0-9-]+)\s*(?:\([^)]*\)\s*)?;\s*(.*)$/is.exec(value);
  return parts === null // comments may stand everywhere (RFC 5322 3.2.2)
    ? { type: "", text: value }
    : { type: (parts[1] ?? "").toLowerCase(), text: (parts[2] ?? "").trim() };
}

function readGroup(block: string): FieldGroup {
  const fields: ReportField[] = [];
  for (const line of unfold(block).split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    if (!/^[!-9;-~]+$/.test(name)) continue;
    fields.push([name, line.slice(colon + 1, colon + 1 + VALUE_LIMIT_CHARS).trim()]);
    if (fields.length >= FIELDS_LIMIT) break;
  }
  return fields;
}
