import { assert, assertEquals } from "@std/assert";
import { LOSS_KINDS } from "../../src/delivery/transport.ts";
import { createRelay, RELAY_CATALOGUE, type RelayType } from "../../src/relay/mod.ts";
import type { ConversionLimits } from "../../src/relay/http/conversion.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { fetch } from "../support/own_fetch.ts";
import { jobOf } from "./messages.ts";
import { TABLES } from "./tables.ts";

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

/** What APIs say of messages that are larger, which is the only place where it can be seen. */
async function largestOf(name: RelayType): Promise<string> {
  const foreseen = await RELAY_CATALOGUE[name].foresee(
    jobOf("", { recipients: ["a@b.example"], sizeBytes: 1_000_000_000_000 }),
  );
  if (foreseen.kind === "carried") return "no limit known";
  const bytes = /accepts (\d+) octets/.exec(foreseen.reply.lines.join(" "))?.[1];
  return Number(bytes).toLocaleString("en");
}

Deno.test("fidelity: the table of APIs that accept messages says what each accepts", async () => {
  for (const { name, fidelity } of ENTRIES) {
    if (fidelity === "converted") continue;
    const [, , largest, recipients, octets] = ROWS.find((row) => row.startsWith(`| \`${name}\` |`))
      ?.split("|").map((cell) => cell.trim()) ?? [];
    const type = name as RelayType;
    const created = createRelay({ type, table: TABLES[type] }, {
      ...{ name, fetch, clock: new ManualClock() },
    });
    assert(created.kind === "created", name);
    await using transport = created.transport;
    assertEquals([largest, Number(recipients)], [
      await largestOf(type),
      transport.maxRecipients,
    ], name);
    assertEquals(octets === "addressed", fidelity === "addressed", name);
  }
});

Deno.test("fidelity: every kind of loss is described", () => {
  for (const kind of LOSS_KINDS) assert(DOCS.includes(`| \`${kind}\``), kind);
});
