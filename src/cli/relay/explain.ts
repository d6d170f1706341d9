import type { InferResponseType } from "hono/client";
import type { AdminClient } from "../../admin/client.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { styleOf } from "../style.ts";
import { formatTable } from "../table.ts";
import { printable } from "../text.ts";
import { ask } from "./ask.ts";
import { named } from "./operands.ts";
import { RELAY_FLAGS, withRelay } from "./open.ts";

/** Tells which way a message would take, and why. */
export const explainCommand: Command = {
  name: "explain",
  summary: "Tell which way mail for a recipient takes in the running relay, and why.",
  operands: "RECIPIENT",
  flags: [
    { name: "from", kind: "text", value: "ADDRESS", help: "Reverse-path; the null one." },
    { name: "listener", kind: "text", value: "NAME", help: "Where it comes in; the first." },
    { name: "user", kind: "text", value: "NAME", help: "Who signed in to send it." },
    ...RELAY_FLAGS,
    JSON_FLAG,
  ],
  examples: [{
    command: "explain you@example.net --from me@example.org",
    does: "Where would it go?",
  }],
  run: explain,
};

type RouteAnswer = InferResponseType<AdminClient["routes"]["explain"]["$get"], 200>;

async function explain(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const to = named(invocation, "one recipient");
  if (to === null) return EXIT.usage;
  const from = flags.text("from");
  const listener = flags.text("listener");
  const user = flags.text("user");
  const query = {
    to,
    ...(from === undefined || from === "<>" ? {} : { from }),
    ...(listener === undefined ? {} : { listener }),
    ...(user === undefined ? {} : { user }),
  };
  return await withRelay(invocation, async (client) => {
    const answer = await ask(client.routes.explain.$get({ query }));
    if (flags.switch("json")) writeJson(io, answer);
    else write(io, answer);
    return answer.route === null ? EXIT.failed : EXIT.ok;
  });
}

function write(io: CliIo, { route, transports, steps }: RouteAnswer): void {
  const style = styleOf(io);
  const options = { width: io.terminal.columns(), style };
  for (const step of steps) {
    const mark = step.fits ? style.green("fits") : style.dim("does not fit");
    io.out(`${printable(step.route)} ${mark}: ${printable(step.reason)}\n`);
  }
  if (route === null) {
    io.out(`${style.red("No route fits")}; the mail would wait.\n`);
    return;
  }
  if (transports.length === 0) return;
  io.out(`\n${
    formatTable(transports, {
      ...options,
      columns: [
        { header: "TRANSPORT", cell: ({ name }) => name },
        { header: "KIND", cell: ({ kind }) => kind },
        { header: "DESTINATION", cell: ({ destination }) => printable(destination), minWidth: 12 },
        { header: "STATE", cell: ({ state }) => state },
        { header: "WHY", cell: ({ reason }) => printable(reason), minWidth: 10 },
      ],
    })
  }`);
}
