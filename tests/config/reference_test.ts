import { assert, assertEquals } from "@std/assert";
import { configJsonSchema } from "../../src/config/json_schema.ts";
import { RELAY_TYPES } from "../../src/relay/schemas.ts";

/** Cells of tables are padded for reading; here they are not. */
const REFERENCE = (await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url)))
  .replaceAll(/ +\| +/g, " | ").replaceAll(/ +\|$/gm, " |");

type Schema = Readonly<Record<string, unknown>>;

/** The tables of a config file: heading in the reference, and their keys. */
function* sections(schema: Schema, heading = ""): Iterable<[string, Schema]> {
  if (schema["properties"] !== undefined) yield [heading, schema];
  for (const [key, part] of Object.entries((schema["properties"] ?? {}) as Schema)) {
    const name = heading === "" ? key : `${heading}.${key}`;
    for (const inner of tablesIn(part as Schema)) yield* sections(inner, name);
  }
}

/** The shapes of tables that a value may have. */
function tablesIn(schema: Schema): Schema[] {
  const { type, anyOf = [], oneOf = [], items, additionalProperties } = schema;
  const parts = [...anyOf as Schema[], ...oneOf as Schema[], items, additionalProperties];
  const inner = parts.filter((part) => typeof part === "object") as Schema[];
  const isTable = type === "object" && schema["properties"] !== undefined;
  return [...isTable ? [schema] : [], ...inner.flatMap(tablesIn)];
}

/** `| \`port\` | \`25\` | Port of the next hops. |` for each key with a plain value. */
function rowsOf(schema: Schema): string[] {
  return keysOf(schema).map(({ key, shown, description }) =>
    `| \`${key}\` | ${shown} | ${description} |`
  );
}

/** One row for a provider: `| \`resend\` | \`api_key\` (required): API key that may send mail. |` */
function providerRow(schema: Schema): string {
  const keys = keysOf(schema).filter(({ key }) => !COMMON_KEYS.includes(key))
    .map(({ key, shown, description }) => `\`${key}\` (${shown}): ${description}`);
  return `| \`${providerOf(schema)}\` | ${keys.join(" ").replaceAll(" (-)", "")} |`;
}

const COMMON_KEYS = ["base_url", "timeout", "max_concurrency", "source_address", "proxy"];

/** The `type` of a transport to an HTTP API; null for other tables. */
function providerOf(schema: Schema): string | null {
  const properties = (schema["properties"] ?? {}) as Record<string, Schema | undefined>;
  const type = properties["type"]?.["const"];
  return RELAY_TYPES.find((name) => name === type) ?? null;
}

interface KeyFacts {
  readonly key: string;
  readonly shown: string;
  readonly description: unknown;
}

function keysOf(schema: Schema): KeyFacts[] {
  const required = (schema["required"] ?? []) as string[];
  return Object.entries((schema["properties"] ?? {}) as Schema).flatMap(([key, value]) => {
    const part = value as Schema;
    if (part["const"] !== undefined || tablesIn(part).some((table) => !isReference(table))) {
      return [];
    }
    const standard = part["default"];
    const shown = required.includes(key)
      ? "required"
      : standard === undefined
      ? "-"
      : `\`${JSON.stringify(standard).replaceAll(",", ", ")}\``;
    return [{ key, shown, description: part["description"] }];
  });
}

function isReference(schema: Schema): boolean {
  const keys = Object.keys((schema["properties"] ?? {}) as Schema);
  return keys.length === 1 && (keys[0] === "env" || keys[0] === "file");
}

const SECTIONS = [...sections(configJsonSchema())].filter(([, schema]) => !isReference(schema));

const PROVIDERS = SECTIONS.map(([, schema]) => schema).filter((schema) =>
  providerOf(schema) !== null
);

for (const schema of PROVIDERS) {
  Deno.test(`the reference describes every key of ${providerOf(schema)}`, () => {
    assert(REFERENCE.includes(`\n${providerRow(schema)}\n`), providerRow(schema));
  });
}

for (const [heading, schema] of SECTIONS) {
  if (providerOf(schema) !== null) continue;
  Deno.test(`the reference describes every key of ${heading || "the top level"}`, () => {
    const missing = rowsOf(schema).filter((row) => !REFERENCE.includes(`\n${row}\n`));
    assertEquals(missing, []);
  });
}

Deno.test("the reference describes no key that does not exist", () => {
  const rows = new Set(SECTIONS.flatMap(([, schema]) => rowsOf(schema)));
  const written = REFERENCE.split("\n").filter((line) =>
    /^\| `[a-z_]+` \| .* \| .* \|$/.test(line)
  );
  assert(written.length > 50);
  assertEquals(written.filter((row) => !rows.has(row)), []);
});
