import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { createRelay, RELAY_CATALOGUE, RELAY_TYPES } from "../../src/relay/mod.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { fetch } from "../support/own_fetch.ts";
import { TABLES } from "./tables.ts";

const OPTIONS = { name: "out", fetch, clock: new ManualClock() };

Deno.test("relay: every provider is made from its table", async () => {
  assertEquals(RELAY_TYPES.toSorted(), Object.keys(TABLES).sort());
  for (const type of RELAY_TYPES) {
    const result = createRelay({ type, table: TABLES[type] }, OPTIONS);
    assert(result.kind === "created", type);
    await using transport = result.transport;
    assertEquals([transport.kind, transport.name], [type, "out"]);
    assert(!transport.destinationOf("one.example").includes("127.0.0.1"));
    assertEquals(transport.sharedDestination, transport.destinationOf("two.example"));
  }
});

Deno.test("relay: a table with a key too many, or one too few, is refused", () => {
  for (const type of RELAY_TYPES) {
    const more = createRelay({ type, table: { ...TABLES[type], colour: "red" } }, OPTIONS);
    assertEquals(more.kind, "invalid", type);
    const less = createRelay({ type, table: {} }, OPTIONS);
    assertEquals(less.kind, "invalid", type);
  }
});

Deno.test("relay: what is secret is marked, and every key is described", () => {
  for (const type of RELAY_TYPES) {
    const { shape } = RELAY_CATALOGUE[type].schema;
    for (const [key, field] of Object.entries(shape)) {
      assert(field instanceof z.ZodType);
      const { description = "", writeOnly = false } = {
        ...innermost(field).meta(),
        ...field.meta(),
      };
      assert(String(description).endsWith("."), `${type}.${key} has no description`);
      const looksSecret = /secret|token$|api_key|server_token/.test(key) && key !== "client_id";
      const isPublicHalf = type === "mailjet" && key === "api_key";
      assertEquals(writeOnly, looksSecret && !isPublicHalf, `${type}.${key}`);
    }
  }
});

Deno.test("relay: an address is TLS unless it is written otherwise", () => {
  for (const type of RELAY_TYPES) {
    const result = createRelay({ type, table: TABLES[type] }, OPTIONS);
    assert(result.kind === "created" && !result.transport.destinationOf("").endsWith(":80"));
  }
  for (const url of ["ftp://x.example", "x.example", "https://user:pw@x.example", "https://x/?a"]) {
    const table = { ...TABLES.mailgun, base_url: url };
    assertEquals(createRelay({ type: "mailgun", table }, OPTIONS).kind, "invalid", url);
  }
});

/** The schema within optional and default. */
function innermost(field: z.ZodType): z.ZodType {
  if (field instanceof z.ZodOptional || field instanceof z.ZodDefault) {
    const inner = field.unwrap();
    return inner instanceof z.ZodType ? innermost(inner) : field;
  }
  return field;
}
