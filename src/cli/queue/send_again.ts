import { dnsOptions } from "../../app/dns.ts";
import { sendAgainServices } from "../../app/send_again.ts";
import { MailSigning } from "../../app/signing.ts";
import { systemClock } from "../../base/clock.ts";
import { idGenerator } from "../../base/ids.ts";
import { systemRandom } from "../../base/random.ts";
import { createResolver } from "../../net/resolver.ts";
import { sendAgain } from "../../queue/send_again.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";
import { counted } from "../text.ts";
import { QUEUE_FLAGS, withQueue } from "./open.ts";

/** Puts a message into the queue once more. */
export const queueSendAgainCommand: Command = {
  name: "queue send-again",
  summary: "Send a failed message again, unchanged or edited.",
  operands: "ID",
  details: "Failed messages are kept with their content for queue.keep_failed. The message is " +
    "queued as a new one, for the recipients that it did not reach or those named with --to. " +
    "Both messages refer to each other in their timelines. Works with or without a running " +
    "relay. To edit a message, write it to a file with queue export first.",
  flags: [
    { name: "to", kind: "texts", value: "ADDRESS", help: "Recipient; default: those not reached." },
    {
      name: "from",
      kind: "text",
      value: "ADDRESS",
      help: "Another reverse-path; <> for the null reverse-path.",
    },
    { name: "route", kind: "text", value: "NAME", help: "Route to use, regardless of its match." },
    {
      name: "transport",
      kind: "text",
      value: "NAME",
      help: "Transport to use, regardless of the routes.",
    },
    { name: "file", kind: "text", value: "FILE", help: "File with the edited message." },
    ...QUEUE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    { command: "queue send-again 01JZ3V9KQ8M2XW4T", does: "Send to all recipients not reached" },
    {
      command: "queue send-again 01JZ3V9KQ8M2XW4T --to right@example.net --route backup",
      does: "Send to another recipient by another route",
    },
  ],
  run: again,
};

async function again(invocation: Invocation): Promise<ExitCode> {
  const { io, flags, operands } = invocation;
  const [id, ...more] = operands;
  if (id === undefined || more.length > 0) {
    io.err("Name one message by its queue id.\n");
    return EXIT.usage;
  }
  const config = await configOrProblems(io, flags);
  if (config === null) return EXIT.usage;
  const route = flags.text("route");
  if (route !== undefined && !config.routes.some(({ name }) => name === route)) {
    io.err(`There is no route ${route} in the config.\n`);
    return EXIT.usage;
  }
  const transport = flags.text("transport");
  if (transport !== undefined && !Object.hasOwn(config.transports, transport)) {
    io.err(`There is no transport ${transport} in the config.\n`);
    return EXIT.usage;
  }
  const [from, file, to] = [flags.text("from"), flags.text("file"), flags.texts("to")];
  const message = file === undefined ? undefined : await io.readFile(file);
  using resolver = createResolver(dnsOptions(config));
  const signing = new MailSigning(config, { clock: systemClock, resolver, parallel: 1 });
  return await withQueue(invocation, async (store) => {
    const newId = idGenerator({ clock: systemClock, random: systemRandom });
    const result = await sendAgain({
      ...{ id: id.toUpperCase(), by: "command line" },
      ...(to.length === 0 ? {} : { recipients: to }),
      ...(from === undefined ? {} : { reversePath: from === "<>" ? "" : from }),
      ...(route === undefined ? {} : { route }),
      ...(transport === undefined ? {} : { transport }),
      ...(message === undefined ? {} : { message }),
    }, sendAgainServices(config, { store, nowMs: Date.now(), newId, signing }));
    if (flags.switch("json")) writeJson(io, result);
    else if (result.kind === "refused") io.err(`Cannot send ${id} again: ${result.reason}.\n`);
    else io.out(`Queued as ${result.id} for ${counted(result.recipients, "recipient")}.\n`);
    return result.kind === "queued" ? EXIT.ok : EXIT.failed;
  });
}
