/**
 * Measures the relay between smtp-source and smtp-sink, beside a Postfix with its default
 * durability in the same run. Needs Debian's postfix package, and root to run a Postfix.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Contender, contenders } from "./contender.ts";
import {
  type Figures,
  measureAccept,
  measureFsync,
  measureIdle,
  measureLarge,
  measureLatency,
  measureRelay,
  measureTools,
} from "./measurements.ts";
import { formatSections, type Section } from "./report.ts";

const HELP = `Usage: deno task bench [--json] [--only NAME[,NAME]] [--server NAME]

Measures: accept, relay, latency, idle, large. Servers: posthouse, postfix.

  --json         print one JSON document and nothing else
  --only NAMES   take only these measurements
  --server NAME  measure only this server
`;

const MEASUREMENTS: Readonly<
  Record<string, { title: string; measure: (contender: Contender) => Promise<Figures> }>
> = {
  accept: { title: "accept, next hop away", measure: measureAccept },
  relay: { title: "relay", measure: measureRelay },
  latency: { title: "final dot to 250", measure: measureLatency },
  idle: { title: "idle sessions", measure: measureIdle },
  large: { title: "one message of 100 MiB", measure: measureLarge },
};

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const flags = parseArgs(args, { boolean: ["json", "help"], string: ["only", "server"] });
  if (flags.help === true) return print(HELP);
  const only = typeof flags.only === "string" ? flags.only.split(",") : Object.keys(MEASUREMENTS);
  const servers = contenders().filter(({ name }) =>
    flags.server === undefined || flags.server === name
  );
  const sections: Section[] = [];
  for await (const section of measureAll({ only, servers })) {
    sections.push(section);
    if (flags.json !== true) print(formatSections([section]));
  }
  if (flags.json === true) print(JSON.stringify(sections, null, 2));
}

async function* measureAll(
  { only, servers }: { only: readonly string[]; servers: readonly Contender[] },
): AsyncGenerator<Section> {
  yield { title: "the disk: write and fsync", figures: { alone: await measureFsync() } };
  yield { title: "the load tools", figures: { alone: await measureTools() } };
  for (const name of only) {
    const measurement = MEASUREMENTS[name];
    if (measurement === undefined) throw new Error(`no measurement is called ${name}\n${HELP}`);
    const figures: Record<string, Figures> = {};
    for (const server of servers) figures[server.name] = await measurement.measure(server);
    yield { title: measurement.title, figures };
  }
}

function print(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}
