import { z } from "zod";
import { isTable } from "./references.ts";

/** Stands for a secret that was written into the file itself. */
export const HIDDEN = "(hidden)";

/** Marks a value that is never printed, such as a password. It is best given as a reference. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ writeOnly: true });
}

/** A text in which no address shows the name and password that stand in it (RFC 3986 3.2.1). */
export function withoutUserinfo(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s\/?#]*@/gi, `$1${HIDDEN}@`);
}

/** The names of all keys, at any depth, whose values are secrets. */
export function secretKeys(schema: z.ZodType): ReadonlySet<string> {
  const keys = new Set<string>();
  collect(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), keys);
  return keys;
}

function collect(schema: unknown, keys: Set<string>): void {
  if (Array.isArray(schema)) return schema.forEach((part) => collect(part, keys));
  if (!isTable(schema)) return;
  if (isTable(schema["properties"])) {
    for (const [key, part] of Object.entries(schema["properties"])) {
      if (isTable(part) && part["writeOnly"] === true) keys.add(key);
    }
  }
  Object.values(schema).forEach((part) => collect(part, keys));
}
