import { z } from "zod";
import { isTable } from "./references.ts";
import { documentSchema } from "./schema.ts";

type JsonSchema = Record<string, unknown>;

const REFERENCE: JsonSchema = {
  description: "A value read from an environment variable or a file.",
  oneOf: ["env", "file"].map((key) => ({
    type: "object",
    properties: { [key]: { type: "string" } },
    required: [key],
    additionalProperties: false,
  })),
};

/** The JSON Schema (draft 2020-12) of the config file. */
export function configJsonSchema(): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(documentSchema, { io: "input" });
  return {
    $schema,
    title: "Posthouse configuration",
    ...withReferences(schema),
    $defs: { reference: REFERENCE },
  };
}

/** Allows a reference beside every value that is not a table. */
function withReferences(schema: unknown): JsonSchema {
  if (!isTable(schema)) return {};
  const parts: JsonSchema = { ...schema };
  if (isTable(parts["properties"])) {
    const entries = Object.entries(parts["properties"]);
    parts["properties"] = Object.fromEntries(
      entries.map(([key, part]) => [key, withReferences(part)]),
    );
  }
  for (const key of ["items", "additionalProperties"]) {
    if (isTable(parts[key])) parts[key] = withReferences(parts[key]);
  }
  if (Array.isArray(parts["oneOf"])) parts["oneOf"] = parts["oneOf"].map(withReferences);
  const isStructure = "oneOf" in parts || "const" in parts || parts["type"] === "object";
  if (isStructure) return parts;
  const { description, default: standard, ...value } = parts;
  return {
    ...(description === undefined ? {} : { description }),
    ...(standard === undefined ? {} : { default: standard }),
    anyOf: [value, { $ref: "#/$defs/reference" }],
  };
}
