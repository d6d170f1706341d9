import { dnsOptions } from "../../app/dns.ts";
import { explainDelivery } from "../../app/explain/explain.ts";
import type { RouteQuestion, RouteTrace } from "../../admin/ports.ts";
import { systemClock } from "../../base/clock.ts";
import { createResolver } from "../../net/resolver.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import type { FlagValues } from "../flags.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { ask } from "./ask.ts";
import { writeTrace } from "./explain_view.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

/** Tells which way a message would take, and why. */
export const explainCommand: Command = {
  name: "explain",
  summary: "Tell which way mail for a recipient takes, and why, without sending any.",
  operands: "[RECIPIENT]",
  details: "Tells which rules fit, the transports in their order, what the DNS says of their " +
    "hosts, what is asked of TLS, the limits that hold, the keys that sign, the return path, and " +
    "who is told by which way should it fail. Asks the running relay; with --offline only the " +
    "config file and the DNS, so that nothing is known of what is down, paused or suppressed.",
  flags: [
    { name: "from", kind: "text", value: "ADDRESS", help: "Reverse-path; the null one." },
    { name: "to", kind: "text", value: "ADDRESS", help: "The recipient, if not named before." },
    { name: "listener", kind: "text", value: "NAME", help: "Where it comes in; the first." },
    { name: "user", kind: "text", value: "NAME", help: "Who signed in to send it." },
    { name: "size", kind: "count", value: "N", help: "Octets of the message." },
    {
      name: "priority",
      kind: "text",
      value: "N",
      help: "Its priority, -9 to 9 (RFC 6710); 0 where not given.",
    },
    {
      name: "header",
      kind: "texts",
      value: "FIELD",
      help: "A header field, as 'X-Tenant: acme'; may be repeated.",
    },
    { name: "offline", kind: "switch", help: "Look at the config file, not at a relay." },
    ...RELAY_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "explain you@example.net --from me@example.org", does: "Where would it go?" },
    {
      command: "explain --from me@example.org --to you@example.net --offline",
      does: "The same before the relay runs",
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
  const finish = (trace: RouteTrace): ExitCode => {
    if (flags.switch("json")) writeJson(io, trace);
    else writeTrace(io, trace);
    return trace.route === null ? EXIT.failed : EXIT.ok;
  };
  const priority = priorityOf(flags);
  if (priority === null) {
    io.err("A priority is a whole number from -9 to 9: --priority=-3\n");
    return EXIT.usage;
  }
  if (flags.switch("offline")) return await offline(invocation, { to, priority, finish });
  const header = flags.texts("header");
  const size = flags.number("size");
  const query = {
    ...{ to, priority: String(priority), ...senderOf(flags) },
    ...(size === undefined ? {} : { size: String(size) }),
    ...(header.length === 0 ? {} : { header: [...header] }),
  };
  return await withRelay(
    invocation,
    async (client) => finish(await ask(client.routes.explain.$get({ query }))),
  );
}

/** Explains by the config file alone. */
async function offline(
  { io, flags }: Invocation,
  { to, priority, finish }: {
    to: string;
    priority: number;
    finish: (trace: RouteTrace) => ExitCode;
  },
): Promise<ExitCode> {
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  using resolver = createResolver(dnsOptions(config));
  const size = flags.number("size");
  const question: RouteQuestion = {
    ...{ to, priority, from: "", ...senderOf(flags), headers: headersOf(flags) },
    ...(size === undefined ? {} : { sizeBytes: size }),
  };
  return finish(
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
function senderOf(flags: FlagValues): { from?: string; listener?: string; user?: string } {
  const from = flags.text("from");
  const listener = flags.text("listener");
  const user = flags.text("user");
  return {
    ...(from === undefined || from === "<>" ? {} : { from }),
    ...(listener === undefined ? {} : { listener }),
    ...(user === undefined ? {} : { user }),
  };
}

function headersOf(flags: FlagValues): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const line of flags.texts("header")) {
    const [name = "", ...value] = line.split(":");
    (headers[name.trim().toLowerCase()] ??= []).push(value.join(":").trim());
  }
  return headers;
}
