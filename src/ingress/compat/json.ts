import { z } from "zod";
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
  if (result.success) {
    refuseMisspelt(value, { schema, path: "" });
    return result.data;
  }
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join(".") ?? "";
  throw new RequestError(field, `\`${field}\`: ${issue?.message ?? "is not valid"}`);
}

/**
 * Keys that are not known are passed over, and what a program meant by them is not there. One that
 * is a known key but for case and underscores, such as `replyTo`, was meant to be that.
 */
function refuseMisspelt(
  value: unknown,
  { schema, path }: { schema: unknown; path: string },
): void {
  const inner = innermost(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      refuseMisspelt(item, { schema: inner.element, path: `${path}${index}.` });
    }
  }
  if (!(inner instanceof z.ZodObject) || typeof value !== "object" || value === null) return;
  const { shape } = inner;
  const known = new Map(Object.keys(shape).map((key) => [squeezed(key), key]));
  for (const [key, item] of Object.entries(value)) {
    const meant = known.get(squeezed(key));
    if (meant === undefined) continue;
    if (meant !== key) {
      throw new RequestError(
        `${path}${key}`,
        `\`${path}${key}\` is not supported; did you mean ${meant}?`,
      );
    }
    refuseMisspelt(item, { schema: shape[key], path: `${path}${key}.` });
  }
}

function squeezed(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, "");
}

/** A schema without what says that its value may be missing, or is changed afterwards. */
function innermost(schema: unknown): unknown {
  if (schema instanceof z.ZodPipe) return innermost(schema.in);
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault;
  return isWrapped ? innermost(schema.unwrap()) : schema;
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
