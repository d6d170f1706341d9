import { dnsOptions } from "../../app/dns.ts";
import { explainDelivery } from "../../app/explain/explain.ts";
import { foreseeMessage } from "../../app/explain/losses.ts";
import type { RouteQuestion, RouteTrace } from "../../admin/ports.ts";
import { systemClock } from "../../base/clock.ts";
import { fieldText, headerSection } from "../../mail/headers.ts";
import { createResolver } from "../../net/resolver.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import type { FlagValues } from "../flags.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { ask } from "./ask.ts";
import { writeTrace } from "./explain_view.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

/** A query has room for so many fields of so many characters. */
const MOST_FIELDS = 40;
const LONGEST_FIELD = 150;
const FIELDS_OF_THE_WAY = /^(?:received|dkim-|arc-|authentication-results)/i;

/** Tells which way a message would take, and why. */
export const explainCommand: Command = {
  name: "explain",
  summary: "Show the route of a recipient and its reasons, without sending.",
  operands: "[RECIPIENT]",
  details:
    "Shows each check of the client, sender and recipient with its verdict, the matching rules, the transports in order, the DNS answers for their hosts, the " +
    "TLS requirements, limits, signing keys, the return path, and who is notified if " +
    "delivery fails and by which route. Asks the running relay. With --offline it uses only " +
    "the config file and the DNS; it then ignores pauses, suppressions and destinations that " +
    "are down. With --message it also shows what each transport to an API would lose of the " +
    "message.",
  flags: [
    {
      name: "from",
      kind: "text",
      value: "ADDRESS",
      help: "Reverse-path. Default: the null reverse-path.",
    },
    { name: "to", kind: "text", value: "ADDRESS", help: "Recipient, instead of the operand." },
    {
      name: "listener",
      kind: "text",
      value: "NAME",
      help: "Listener that accepts the message. Default: the first.",
    },
    { name: "user", kind: "text", value: "NAME", help: "Authenticated user." },
    {
      name: "client",
      kind: "text",
      value: "IP",
      help: "Client that sends the message. Default: 127.0.0.1.",
    },
    { name: "size", kind: "count", value: "N", help: "Message size in octets." },
    {
      name: "message",
      kind: "text",
      value: "FILE",
      help: "Message to check for losses of each transport; - is standard input.",
    },
    {
      name: "priority",
      kind: "text",
      value: "N",
      help: "Priority, -9 to 9 (RFC 6710). Default: 0.",
    },
    {
      name: "header",
      kind: "texts",
      value: "FIELD",
      help: "Header field, such as 'X-Tenant: acme'; may be repeated.",
    },
    { name: "offline", kind: "switch", help: "Use the config file, not the running relay." },
    ...RELAY_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "explain you@example.net --from me@example.org", does: "Show the route" },
    {
      command: "explain you@example.net --message letter.eml",
      does: "Show what APIs would lose of a message",
    },
    {
      command: "explain --from me@example.org --to you@example.net --offline",
      does: "Check a config before the relay runs",
    },
  ],
  run: explain,
};

async function explain(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands } = invocation;
  const [to = flags.text("to"), ...more] = operands;
  if (to === undefined || more.length > 0) {
    io.err("Name one recipient: posthouse explain you@example.net\n");
    return EXIT.usage;
  }
  const octets = await messageOf(invocation);
  if (octets === "unreadable") return EXIT.usage;
  const { from = "" } = senderOf(flags);
  const finish = async (route: RouteTrace): Promise<ExitCode> => {
    const trace = octets === null ? route : await foreseeMessage(route, { octets, from, to });
    if (flags.switch("json")) writeJson(io, trace);
    else writeTrace(io, trace);
    return trace.route === null ? EXIT.failed : EXIT.ok;
  };
  const priority = priorityOf(flags);
  if (priority === null) {
    io.err("A priority is a whole number from -9 to 9, such as --priority=-3.\n");
    return EXIT.usage;
  }
  const header = [...flags.texts("header"), ...octets === null ? [] : fieldLines(octets)];
  const size = flags.number("size") ?? octets?.length;
  const known = { to, priority, header, ...(size === undefined ? {} : { size }) };
  if (flags.switch("offline")) return await offline(invocation, { ...known, finish });
  const query = {
    ...{ to, priority: String(priority), ...senderOf(flags) },
    ...(size === undefined ? {} : { size: String(size) }),
    ...(header.length === 0 ? {} : { header }),
  };
  return await withRelay(
    invocation,
    async (client) => await finish(await ask(client.routes.explain.$get({ query }))),
  );
}

/** Explains by the config file alone. */
async function offline(
  { io, flags }: Invocation,
  { to, priority, size, header, finish }: {
    to: string;
    priority: number;
    size?: number;
    header: readonly string[];
    finish: (trace: RouteTrace) => Promise<ExitCode>;
  },
): Promise<ExitCode> {
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  using resolver = createResolver(dnsOptions(config));
  const question: RouteQuestion = {
    ...{ to, priority, from: "", ...senderOf(flags), headers: headersOf(header) },
    ...(size === undefined ? {} : { sizeBytes: size }),
  };
  return await finish(
    await explainDelivery(question, {
      ...{ config, resolver, clock: systemClock },
      stateOf: (_, domain) => ({ destination: domain, state: "unknown", reason: "" }),
    }),
  );
}

/** The priority asked for, 0 where none was; null when it is none. */
function priorityOf(flags: FlagValues): number | null {
  const text = flags.text("priority") ?? "0";
  return /^-?\d$/.test(text) ? Number(text) : null;
}

/** Who sends it, from where; keys that were not given are absent. */
function senderOf(
  flags: FlagValues,
): { from?: string; listener?: string; user?: string; client?: string } {
  const from = flags.text("from");
  const listener = flags.text("listener");
  const user = flags.text("user");
  const client = flags.text("client");
  return {
    ...(from === undefined || from === "<>" ? {} : { from }),
    ...(listener === undefined ? {} : { listener }),
    ...(user === undefined ? {} : { user }),
    ...(client === undefined ? {} : { client }),
  };
}

/** The message of the flag; null without one, and told where it cannot be read. */
async function messageOf({ io, flags }: Invocation): Promise<Uint8Array | null | "unreadable"> {
  const file = flags.text("message");
  if (file === undefined) return null;
  try {
    return file === "-" ? await io.stdin.readAll() : await io.readFile(file);
  } catch (error) {
    io.err(`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return "unreadable";
  }
}

/** Fields of a message that routes may look at: not those of its way, and none that are long. */
function fieldLines(octets: Uint8Array): string[] {
  const lines = headerSection(octets).fields
    .map((field) => `${field.name}: ${fieldText(octets, field).trim()}`)
    .filter((line) => line.length <= LONGEST_FIELD && !FIELDS_OF_THE_WAY.test(line));
  return lines.slice(0, MOST_FIELDS);
}

function headersOf(lines: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of lines) {
    const [name = "", ...value] = line.split(":");
    (headers[name.trim().toLowerCase()] ??= []).push(value.join(":").trim());
  }
  return headers;
}
