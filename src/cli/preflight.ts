import type { DnsRecordAdvice, PreflightCheck, PreflightReport } from "../admin/ports.ts";
import { createPreflight } from "../app/preflight/mod.ts";
import { systemClock } from "../base/clock.ts";
import { createResolver } from "../net/resolver.ts";
import { STRING_OCTETS, zoneLine } from "../signing/record.ts";
import { type Command, CONFIG_FLAG, type Invocation, JSON_FLAG } from "./command.ts";
import { configOrProblems } from "./configuration.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "./io.ts";
import { styleOf } from "./style.ts";
import { pad, printable, wrap } from "./text.ts";

/** Tells whether the world would accept mail of a domain. */
export const preflightCommand: Command = {
  name: "preflight",
  summary: "Check sending domains as receivers do, and list the missing DNS records.",
  operands: "[DOMAIN…]",
  details:
    "Checks SPF, DKIM, DMARC, MTA-STS, TLS reports, the reverse DNS name of this relay and " +
    "outgoing port 25. Without a domain it checks those in the config. Exits with status 1 " +
    "if a check fails. Needs no running relay.",
  flags: [CONFIG_FLAG, JSON_FLAG],
  examples: [{ command: "preflight example.net", does: "Check one domain" }],
  run: preflight,
};

async function preflight({ io, flags, operands }: Invocation): Promise<ExitCode> {
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  const { servers, ...limits } = config.dns;
  using resolver = createResolver(servers.length === 0 ? limits : { servers, ...limits });
  const stopped = new AbortController();
  const checker = createPreflight({ resolver, clock: systemClock, config: () => config });
  const domains = operands.length === 0
    ? checker.domains
    : operands.map((domain) => domain.toLowerCase());
  if (domains.length === 0) {
    io.err("Name a domain; the config has none.\n");
    return EXIT.usage;
  }
  const ignore = io.onSignal(["SIGINT", "SIGTERM"], () => stopped.abort());
  const { signal } = stopped;
  const reports = await Promise.all(domains.map((domain) => checker.check(domain, { signal })))
    .finally(ignore);
  if (flags.switch("json")) writeJson(io, { reports });
  else for (const report of reports) writeReport(io, report);
  const isBad = reports.some(({ checks }) => checks.some(({ verdict }) => verdict === "fail"));
  return isBad ? EXIT.failed : EXIT.ok;
}

const INDENT = "          ";

function writeReport(io: CliIo, { domain, checks }: PreflightReport): void {
  const style = styleOf(io);
  io.out(`${style.bold(printable(domain))}\n`);
  for (const check of checks) writeCheck(io, check);
  io.out("\n");
}

function writeCheck(io: CliIo, { verdict, title, detail, advice, found, records }: PreflightCheck) {
  const style = styleOf(io);
  const marks = { pass: style.green, warning: style.yellow, fail: style.red, unknown: style.dim };
  const columns = Math.min(96, io.terminal.columns()) - INDENT.length;
  const [first = "", ...more] = wrap(`${title}: ${printable(detail)}`, columns);
  io.out(`  ${marks[verdict](pad(verdict, 7))} ${first}\n`);
  const lines = [
    ...more,
    ...found.map((text) => style.dim(printable(text))),
    ...advice === "" ? [] : wrap(printable(advice), columns),
    ...records.map((record) => style.cyan(recordLine(record))),
  ];
  for (const line of lines) io.out(`${INDENT}${line}\n`);
}

/** As it stands in a zone file; a value that is one string stands for itself. */
function recordLine({ name, type, value }: DnsRecordAdvice): string {
  const isLong = type === "TXT" && value.length > STRING_OCTETS;
  return printable(isLong ? zoneLine(name, value) : `${name}. ${type} ${value}`);
}
