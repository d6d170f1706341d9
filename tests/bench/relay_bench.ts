/**
 * Measures the relay between smtp-source and smtp-sink, beside a Postfix with its default
 * durability in the same run. Needs Debian's postfix package, and root to run a Postfix; opendkim
 * for what is signed, Node for the sink inside TLS, and npm where Haraka is measured, too.
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Contender, Setup } from "./contender.ts";
import { haraka, installHaraka } from "./contenders/haraka.ts";
import { postfix } from "./contenders/postfix.ts";
import { posthouse } from "./contenders/posthouse.ts";
import type { Figures } from "./figures.ts";
import { measureIsolation } from "./isolation.ts";
import {
  measureAccept,
  measureFsync,
  measureIdle,
  measureLarge,
  measureLatency,
  measureTools,
} from "./measurements.ts";
import { measureDomains, measureRelay, measureSigning, measureTls } from "./relaying.ts";
import { formatSections, type Section } from "./report.ts";

interface Measurement {
  readonly title: string;
  readonly needs?: Omit<Setup, "nextHopPort">;
  measure(contender: Contender): Promise<Figures>;
}

const SIGNING = { type: "ed25519", pem: "" } as const;

const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  accept: { title: "accept, next hop away", measure: measureAccept },
  relay: { title: "relay", measure: measureRelay },
  tls: { title: "relay inside TLS", needs: { tls: true }, measure: measureTls },
  ed25519: {
    title: "relay, DKIM Ed25519",
    needs: { signing: SIGNING },
    measure: (contender) => measureSigning(contender, { type: "ed25519" }),
  },
  rsa: {
    title: "relay, DKIM RSA-2048",
    needs: { signing: SIGNING },
    measure: (contender) => measureSigning(contender, { type: "rsa" }),
  },
  domains: { title: "relay to 1,000 domains", measure: measureDomains },
  isolation: { title: "a dead and a slow domain", measure: measureIsolation },
  latency: { title: "final dot to 250", measure: measureLatency },
  idle: { title: "idle sessions", measure: measureIdle },
  large: { title: "one message of 100 MiB", measure: measureLarge },
};

const HELP = `Usage: deno task bench [--json] [--only NAME[,NAME]] [--server NAME] [--haraka]

Measures: ${Object.keys(MEASUREMENTS).join(", ")}.
Servers: posthouse, postfix, and haraka where asked for.

  --json         print one JSON document and nothing else
  --only NAMES   take only these measurements
  --server NAME  measure only this server
  --haraka       install Haraka with npm into a temporary folder and measure it, too
`;

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const flags = parseArgs(args, {
    boolean: ["json", "help", "haraka"],
    string: ["only", "server"],
  });
  if (flags.help === true) return print(HELP);
  const only = typeof flags.only === "string" ? flags.only.split(",") : Object.keys(MEASUREMENTS);
  await using installed = flags.haraka === true ? await installHaraka() : null;
  const all = [posthouse, postfix, ...installed === null ? [] : [haraka(installed.program)]];
  const servers = all.filter(({ name }) => flags.server === undefined || flags.server === name);
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
    for (const server of servers.filter((each) => each.can(measurement.needs ?? {}))) {
      figures[server.name] = await measurement.measure(server);
    }
    yield { title: measurement.title, figures };
  }
}

function print(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}
