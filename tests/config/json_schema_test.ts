import { assert, assertEquals } from "@std/assert";
import { configJsonSchema } from "../../src/config/json_schema.ts";

type Schema = Readonly<Record<string, unknown>>;

function* nodes(schema: Schema, path: readonly string[] = []): Iterable<[string, Schema]> {
  yield [path.join("."), schema];
  const { properties, items, additionalProperties, oneOf, anyOf } = schema;
  for (const [key, part] of Object.entries((properties ?? {}) as Schema)) {
    yield* nodes(part as Schema, [...path, key]);
  }
  for (const part of [items, additionalProperties]) {
    if (typeof part === "object") yield* nodes(part as Schema, [...path, "*"]);
  }
  for (const part of [...(oneOf ?? []) as Schema[], ...(anyOf ?? []) as Schema[]]) {
    yield* nodes(part, path);
  }
}

Deno.test("the JSON schema describes every key", () => {
  const schema = configJsonSchema();
  assertEquals(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const undescribed: string[] = [];
  for (const [path, node] of nodes(schema)) {
    for (const [key, part] of Object.entries((node["properties"] ?? {}) as Schema)) {
      const { description, const: fixed } = part as Schema;
      if (description === undefined && fixed === undefined) undescribed.push(`${path}.${key}`);
    }
  }
  assertEquals(undescribed, []);
});

Deno.test("the JSON schema refuses unknown keys and allows references", () => {
  const byPath = new Map(nodes(configJsonSchema()));
  assertEquals(byPath.get("queue")?.["additionalProperties"], false);
  assertEquals(byPath.get("listeners.*")?.["required"], ["name", "port"]);
  const references = [...nodes(configJsonSchema())]
    .filter(([, { $ref }]) => $ref === "#/$defs/reference").map(([path]) => path);
  assert(references.includes("hostname"));
  assert(references.includes("relay.networks.*"));
  assert(!references.includes("queue"));
});

Deno.test("the JSON schema is plain JSON", () => {
  assertEquals(JSON.parse(JSON.stringify(configJsonSchema())), configJsonSchema());
});
