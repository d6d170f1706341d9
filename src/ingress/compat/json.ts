import type { z } from "zod";
import { RequestError } from "./reading.ts";

/** Reads a body that a schema describes; keys it does not know are passed over. */
export function readJson<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
): z.output<Schema> {
  return readValue(parsed(text), schema);
}

/** Reads a value that a schema describes. */
export function readValue<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  throw new RequestError(field, `\`${field}\`: ${issue?.message ?? "is not valid"}`);
}

/** Programs write null for what they do not say; to their APIs that is the same as leaving it out. */
function withoutNulls(this: unknown, _key: string, value: unknown): unknown {
  return value === null && !Array.isArray(this) ? undefined : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text, withoutNulls);
  } catch {
    throw new RequestError("", "The body is not valid JSON");
  }
}
