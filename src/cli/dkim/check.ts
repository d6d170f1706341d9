import { dnsOptions } from "../../app/dns.ts";
import { publishedKeys } from "../../app/signing_keys.ts";
import { createResolver } from "../../net/resolver.ts";
import { checkKey, type KeyCheck } from "../../signing/check.ts";
import { zoneLine } from "../../signing/record.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { type Style, styleOf } from "../style.ts";

/** Holds the keys of the configuration against the DNS. */
export const dkimCheckCommand: Command = {
  name: "dkim check",
  summary: "Check that the DNS contains the records of the configured DKIM and ARC keys.",
  details:
    "Queries the configured name servers, or those of the system. Exits with status 1 if a " +
    "record is missing or belongs to another key.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [{ command: "dkim check", does: "Check every key in posthouse.toml" }],
  run: check,
};

async function check({ io, flags }: Invocation): Promise<ExitCode> {
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  using resolver = createResolver(dnsOptions(config));
  const checks = await Promise.all(
    publishedKeys(config).map((key) => checkKey(key, (name) => resolver.txt(name))),
  );
  if (flags.switch("json")) writeJson(io, checks);
  else if (checks.length === 0) io.out("The config has no keys ([[dkim]], [arc]).\n");
  else for (const one of checks) io.out(lineOf(one, styleOf(io)));
  const isFine = checks.every(({ verdict }) => verdict === "ok" || verdict === "warning");
  return isFine ? EXIT.ok : EXIT.failed;
}

function lineOf({ name, algorithm, verdict, detail, wanted }: KeyCheck, style: Style): string {
  const mark = verdict === "ok" ? style.green : verdict === "wrong" ? style.red : style.yellow;
  const line = `${mark(verdict.padEnd(8))} ${name} (${algorithm}): ${detail}.\n`;
  return verdict === "wrong" ? `${line}         Expected: ${zoneLine(name, wanted)}\n` : line;
}
