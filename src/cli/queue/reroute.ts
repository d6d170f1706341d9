import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { isElsewhere } from "./access.ts";
import { applyChange, CHANGE_DETAILS, CHANGE_FLAGS } from "./apply.ts";

/** Chooses the transport of queued mail, regardless of the routes. */
export const queueRerouteCommand: Command = {
  name: "queue reroute",
  summary: "Send messages by one transport instead of their routes.",
  operands: "[ID…]",
  details:
    "All further attempts use the transport named with --to, the next one now. --to-routes " +
    `returns to the routes. ${CHANGE_DETAILS}`,
  flags: [
    { name: "to", kind: "text", value: "TRANSPORT", help: "Transport to use." },
    { name: "to-routes", kind: "switch", help: "Use the routes again." },
    ...CHANGE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue reroute 01JZ3V9KQ8M2XW4T --to backup", does: "One message" },
    {
      command: "queue reroute --transport primary --state queued --to backup",
      does: "Move messages away from a transport that is down",
    },
    { command: "queue reroute --all --to-routes", does: "Route all messages by the routes again" },
  ],
  run: reroute,
};

async function reroute(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const transport = flags.text("to");
  if ((transport === undefined) !== flags.switch("to-routes")) {
    io.err("Name a transport with --to, or use --to-routes.\n");
    return EXIT.usage;
  }
  const isChecked = transport !== undefined && !isElsewhere(invocation); // the relay does it
  const config = isChecked ? await configOrProblems(io, flags) : null;
  if (isChecked && config === null) return EXIT.usage;
  if (config !== null && !Object.hasOwn(config.transports, transport ?? "")) {
    io.err(`There is no transport ${transport} in the config.\n`);
    return EXIT.usage;
  }
  return await applyChange(invocation, {
    ...{ name: "reroute", done: "Rerouted", states: ["queued", "held"] },
    command: { kind: "reroute", transport: transport ?? null },
  });
}
