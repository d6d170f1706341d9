import type { AdminClient } from "../../admin/client.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { writeDone } from "../done.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { ask } from "./ask.ts";
import { named } from "./operands.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";
import { PAUSE_FLAGS, pauseOf } from "./pause.ts";
import { transportColumns } from "./ways.ts";

/** Commands on the transports of the running relay. */
export const transportCommands: readonly Command[] = [
  {
    name: "transports list",
    summary: "List the transports of the running relay and their state.",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "transports list", does: "List all transports" }],
    run: list,
  },
  {
    name: "transports pause",
    summary: "Stop using a transport; mail takes the next transport of its route, or waits.",
    operands: "NAME",
    flags: [...PAUSE_FLAGS, ...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "transports pause backup --for 2h", does: "During maintenance" }],
    run: (invocation) =>
      change(invocation, {
        done: (name) => `Paused ${name}.`,
        apply: (client, name) =>
          ask(client.transports[":name"].pause.$post({
            param: { name },
            json: pauseOf(invocation.flags),
          })),
      }),
  },
  {
    name: "transports resume",
    summary: "Resume a paused transport.",
    operands: "NAME",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "transports resume backup", does: "After maintenance" }],
    run: (invocation) =>
      change(invocation, {
        done: (name) => `Resumed ${name}.`,
        apply: (client, name) => ask(client.transports[":name"].resume.$post({ param: { name } })),
      }),
  },
  {
    name: "transports test",
    summary: "Send a test message by a transport, regardless of the routes.",
    operands: "NAME",
    flags: [
      {
        name: "to",
        kind: "text",
        value: "ADDRESS",
        help: "Recipient; default: those not reached.",
      },
      {
        name: "from",
        kind: "text",
        value: "ADDRESS",
        help: "Author. Default: the relay's postmaster.",
      },
      ...RELAY_FLAGS,
      JSON_FLAG,
    ],
    examples: [{ command: "transports test backup --to me@example.net", does: "Test a transport" }],
    run: test,
  },
  {
    name: "transports reset",
    summary: "Clear the failures of a transport and its destinations.",
    operands: "NAME",
    flags: [...RELAY_FLAGS, JSON_FLAG],
    examples: [{ command: "transports reset out", does: "Try all waiting mail again at once" }],
    run: (invocation) =>
      change(invocation, {
        done: (name) => `Reset ${name}.`,
        apply: (client, name) => ask(client.transports[":name"].reset.$post({ param: { name } })),
      }),
  },
];

/** What became of it stands in the message; `queue show` tells. */
async function test(invocation: Invocation): Promise<ExitCode> {
  const name = named(invocation, "one transport");
  const to = invocation.flags.text("to");
  const from = invocation.flags.text("from");
  if (name === null) return EXIT.usage;
  if (to === undefined) {
    invocation.io.err("Name the recipient with --to.\n");
    return EXIT.usage;
  }
  return await withRelay(invocation, async (client) => {
    const { id } = await ask(client.transports[":name"].test.$post({
      param: { name },
      json: { to, ...(from === undefined ? {} : { from }) },
    }));
    const line = `Queued as ${id}; see posthouse queue show ${id}.`;
    writeDone(invocation, { line, value: { transport: name, id } });
    return EXIT.ok;
  });
}

async function list(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  return await withRelay(invocation, async (client) => {
    const { items } = await ask(client.transports.$get());
    const style = styleOf(io);
    if (flags.switch("json")) writeJson(io, { items });
    else {
      const columns = transportColumns(Date.now(), style);
      io.out(formatTable(items, { columns, width: io.terminal.columns(), style }));
    }
    return EXIT.ok;
  });
}

async function change(
  invocation: Invocation,
  { apply, done }: {
    apply: (client: AdminClient, name: string) => Promise<unknown>;
    done: (name: string) => string;
  },
): Promise<ExitCode> {
  const name = named(invocation, "one transport");
  if (name === null) return EXIT.usage;
  return await withRelay(invocation, async (client) => {
    await apply(client, name);
    writeDone(invocation, { line: done(name), value: { transport: name } });
    return EXIT.ok;
  });
}
