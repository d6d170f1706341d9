import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { writeDone } from "../done.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { counted, printable, relativeTime } from "../text.ts";
import { ask } from "./ask.ts";
import { named } from "./operands.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";
import { PAUSE_FLAGS, pauseOf } from "./pause.ts";
import { type Destination, destinationColumns, domainsText } from "./ways.ts";

const STATES = ["up", "down", "probing", "paused"] as const;
const DEFAULT_LIMIT = 50;
const DOMAINS_SHOWN = 10;

/** Commands on the places that the running relay sends mail to. */
export const destinationCommands: readonly Command[] = [
  {
    name: "destinations list",
    summary: "List the destinations of the running relay, problems first.",
    details:
      "Lists destinations in use or with problems, and paused domains. Below them stand the " +
      "domains for which the most recipients wait in the whole queue.",
    flags: [
      {
        name: "state",
        kind: "texts",
        value: "STATE",
        choices: STATES,
        help: "Destinations in this state.",
      },
      { name: "transport", kind: "text", value: "NAME", help: "Destinations of this transport." },
      {
        name: "limit",
        kind: "count",
        value: "N",
        help: `Most entries. Default: ${DEFAULT_LIMIT}.`,
      },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{ command: "destinations list --state down", does: "Destinations that are down" }],
    run: list,
  },
  {
    name: "destinations pause",
    summary: "Keep mail for a domain in the queue.",
    operands: "DOMAIN",
    flags: [...PAUSE_FLAGS, ...RELAY_FLAGS, JSON_FLAG],
    examples: [{
      command: "destinations pause example.net --for 1h --reason 'migration'",
      does: "Pause for an hour",
    }],
    run: pause,
  },
  {
    name: "destinations resume",
    summary: "End a pause; waiting mail becomes due now.",
    operands: "DOMAIN",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "destinations resume example.net", does: "Resume the domain" }],
    run: resume,
  },
  {
    name: "destinations flush",
    summary: "Try all mail for a domain now, even if it is down.",
    operands: "DOMAIN",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "destinations flush example.net", does: "The destination works again" }],
    run: flush,
  },
];

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const states = flags.texts("state") as readonly Destination["state"][]; // checked as choices
  const transport = flags.text("transport");
  const query = {
    limit: String(flags.number("limit") ?? DEFAULT_LIMIT),
    ...(states.length === 0 ? {} : { state: [...states] }),
    ...(transport === undefined ? {} : { transport }),
  };
  return await withRelay(invocation, async (client) => {
    const [found, queue] = await Promise.all([
      ask(client.destinations.$get({ query })),
      ask(client.queue.shape.$get({ query: { limit: String(DOMAINS_SHOWN) } })),
    ]);
    if (flags.switch("json")) writeJson(io, { ...found, queue });
    else {
      write(invocation, found);
      io.out(domainsText(queue, { width: io.terminal.columns(), style: styleOf(io) }));
    }
    return EXIT.ok;
  });
}

function write(
  { io }: Invocation,
  { items, total, paused }: {
    items: Destination[];
    total: number;
    paused: { domain: string; pause: NonNullable<Destination["pause"]> }[];
  },
): void {
  const nowMs = Date.now();
  const style = styleOf(io);
  const width = io.terminal.columns();
  if (items.length === 0) io.out("No destination is in use.\n");
  else io.out(formatTable(items, { columns: destinationColumns(nowMs, style), width, style }));
  if (items.length < total) io.out(`${style.dim(`${total - items.length} more`)}\n`);
  if (paused.length === 0) return;
  io.out(`\n${
    formatTable(paused, {
      ...{ width, style },
      columns: [
        { header: "PAUSED", cell: ({ domain }) => printable(domain) },
        {
          header: "UNTIL",
          cell: ({ pause: { untilMs } }) =>
            untilMs === null ? "resumed" : relativeTime(untilMs, nowMs),
        },
        { header: "BY", cell: ({ pause: { by } }) => printable(by) },
        { header: "REASON", cell: ({ pause: { reason } }) => printable(reason), minWidth: 10 },
      ],
    })
  }`);
}

async function pause(invocation: Invocation): Promise<ExitCode> {
  const domain = named(invocation, "one domain");
  if (domain === null) return EXIT.usage;
  return await withRelay(invocation, async (client) => {
    const json = pauseOf(invocation.flags);
    await ask(client.destinations[":domain"].pause.$post({ param: { domain }, json }));
    writeDone(invocation, { line: `Paused ${domain}.`, value: { domain, isPaused: true } });
    return EXIT.ok;
  });
}

async function resume(invocation: Invocation): Promise<ExitCode> {
  const domain = named(invocation, "one domain");
  if (domain === null) return EXIT.usage;
  return await withRelay(invocation, async (client) => {
    await ask(client.destinations[":domain"].resume.$post({ param: { domain } }));
    writeDone(invocation, { line: `Resumed ${domain}.`, value: { domain, isPaused: false } });
    return EXIT.ok;
  });
}

async function flush(invocation: Invocation): Promise<ExitCode> {
  const domain = named(invocation, "one domain");
  if (domain === null) return EXIT.usage;
  return await withRelay(invocation, async (client) => {
    const { messages } = await ask(
      client.destinations[":domain"].flush.$post({ param: { domain } }),
    );
    const line = `${counted(messages, "message")} became due.`;
    writeDone(invocation, { line, value: { domain, messages } });
    return EXIT.ok;
  });
}
