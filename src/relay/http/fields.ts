/** Reading of JSON that others wrote: everything is looked at before it is believed. */

/** A table. */
export type JsonTable = Readonly<Record<string, unknown>>;

/** `value` as a table; null when it is none. */
export function tableOf(value: unknown): JsonTable | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as JsonTable
    : null;
}

/** The value at the end of a path of keys; undefined when there is none. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) found = tableOf(found)?.[key];
  return found;
}

/** Text that is not empty, or a number as text, at the end of a path; else null. */
export function textAt(value: unknown, ...path: readonly string[]): string | null {
  const found = valueAt(value, ...path);
  if (typeof found === "number") return String(found);
  return typeof found === "string" && found !== "" ? found : null;
}

/** A list at the end of a path; empty when there is none. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** The texts of a list at the end of a path. */
export function textsAt(value: unknown, ...path: readonly string[]): readonly string[] {
  return listAt(value, ...path).filter((element) => typeof element === "string");
}

/** What an error says for people, where most APIs put it. */
export function messageText(value: unknown): string {
  return textAt(value, "message") ?? textAt(value, "Message") ?? textAt(value, "error") ?? "";
}
