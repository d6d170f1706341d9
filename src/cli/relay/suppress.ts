import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { writeDone } from "../done.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { printable, relativeTime } from "../text.ts";
import { ask } from "./ask.ts";
import { named } from "./operands.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

const DEFAULT_LIMIT = 50;

/** Commands on the recipients that get no mail. */
export const suppressCommands: readonly Command[] = [
  {
    name: "suppress list",
    summary: "List suppressed recipients, and unproven reports about others.",
    flags: [
      { name: "text", kind: "text", value: "TEXT", help: "Addresses that contain this text." },
      {
        name: "limit",
        kind: "count",
        value: "N",
        help: `Most entries. Default: ${DEFAULT_LIMIT}.`,
      },
      {
        name: "cursor",
        kind: "text",
        value: "TEXT",
        help: "Continue from the cursor of a --json page.",
      },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{ command: "suppress list --text example.net", does: "Addresses of a domain" }],
    run: list,
  },
  {
    name: "suppress add",
    summary: "Suppress a recipient: send it no more mail.",
    operands: "ADDRESS",
    flags: [
      { name: "for", kind: "duration", value: "TIME", help: "Duration. Default: until removed." },
      { name: "reason", kind: "text", value: "TEXT", help: "Reason, shown to other operators." },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{
      command: "suppress add gone@example.net",
      does: "Suppress an address that does not exist",
    }],
    run: add,
  },
  {
    name: "suppress remove",
    summary: "Remove a recipient from the suppression list.",
    operands: "ADDRESS",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "suppress remove back@example.net", does: "Send to the address again" }],
    run: remove,
  },
];

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const text = flags.text("text");
  const cursor = flags.text("cursor");
  const query = {
    limit: String(flags.number("limit") ?? DEFAULT_LIMIT),
    ...(text === undefined ? {} : { text }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return await withRelay(invocation, async (client) => {
    const page = await ask(client.suppressions.$get({ query }));
    if (flags.switch("json")) writeJson(io, page);
    else write(invocation, page);
    return EXIT.ok;
  });
}

interface Suppression {
  readonly address: string;
  readonly reason: string;
  readonly source: string;
  readonly addedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly unproven?: true | undefined;
}

function write(
  { io }: Invocation,
  { items, cursor }: { items: readonly Suppression[]; cursor: string | null },
): void {
  if (items.length === 0) {
    io.out("No recipient is suppressed.\n");
    return;
  }
  const nowMs = Date.now();
  const style = styleOf(io);
  const endOf = ({ expiresAtMs: at }: Suppression) => at === null ? "-" : relativeTime(at, nowMs);
  io.out(formatTable(items, {
    ...{ width: io.terminal.columns(), style },
    columns: [
      { header: "ADDRESS", cell: ({ address }) => printable(address), minWidth: 16 },
      { header: "SINCE", cell: ({ addedAtMs }) => relativeTime(addedAtMs, nowMs) },
      { header: "ENDS", cell: endOf },
      { header: "STATE", cell: ({ unproven }) => unproven ? "unproven" : "suppressed" },
      { header: "BY", cell: ({ source }) => printable(source) },
      { header: "REASON", cell: ({ reason }) => printable(reason), minWidth: 10 },
    ],
  }));
  if (cursor !== null) io.out(`${style.dim("More entries exist; use --limit.")}\n`);
}

async function add(invocation: Invocation): Promise<ExitCode> {
  const { flags } = invocation;
  const address = named(invocation, "one address");
  if (address === null) return EXIT.usage;
  const forMs = flags.number("for");
  const json = {
    reason: flags.text("reason") ?? "",
    expiresAtMs: forMs === undefined ? null : Date.now() + forMs,
  };
  return await withRelay(invocation, async (client) => {
    await ask(client.suppressions[":address"].$put({ param: { address }, json }));
    writeDone(invocation, { line: `Suppressed ${address}.`, value: { address, ...json } });
    return EXIT.ok;
  });
}

async function remove(invocation: Invocation): Promise<ExitCode> {
  const address = named(invocation, "one address");
  if (address === null) return EXIT.usage;
  return await withRelay(invocation, async (client) => {
    await ask(client.suppressions[":address"].$delete({ param: { address } }));
    writeDone(invocation, { line: `${address} is no longer suppressed.`, value: { address } });
    return EXIT.ok;
  });
}
