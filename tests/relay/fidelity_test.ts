import { assert, assertEquals } from "@std/assert";
import { LOSS_KINDS } from "../../src/delivery/transport.ts";
import { RELAY_CATALOGUE } from "../../src/relay/mod.ts";
import type { ConversionLimits } from "../../src/relay/http/conversion.ts";

const DOCS = await Deno.readTextFile(new URL("../../docs/fidelity.md", import.meta.url));
const ENTRIES = Object.entries(RELAY_CATALOGUE).map(([name, { fidelity, limits }]) => ({
  name,
  fidelity,
  limits,
}));

function rowOf(name: string, limits: ConversionLimits): string {
  const yes = (carried: boolean): string => carried ? "carried" : "noted";
  const count = (most: number): string => most === Infinity ? "all" : `the first ${most}`;
  const megabytes = limits.maxBytes / 1_000_000;
  return [
    ...["", `\`${name}\``, `${megabytes} MB`, yes(limits.keepsMessageId), yes(limits.showsInline)],
    ...[yes(limits.keepsTypeParameters), count(limits.maxReplyTo), count(limits.maxTags), ""],
  ].join(" | ").trim();
}

/** A row as the formatter leaves it, without its padding. */
const ROWS = DOCS.split("\n").filter((line) => line.startsWith("|"))
  .map((line) => line.replace(/ +/g, " "));

Deno.test("fidelity: the table says of each API what its declaration says", () => {
  const wanted = ENTRIES.flatMap(({ name, limits }) =>
    limits === undefined ? [] : [rowOf(name, limits)]
  );
  assertEquals(wanted.filter((row) => !ROWS.includes(row)), []);
  for (const { name, fidelity, limits } of ENTRIES) {
    assertEquals(limits !== undefined, fidelity === "converted", name);
    assert(DOCS.includes(`\`${name}\``), name);
  }
});

Deno.test("fidelity: every kind of loss is described", () => {
  for (const kind of LOSS_KINDS) assert(DOCS.includes(`| \`${kind}\``), kind);
});
