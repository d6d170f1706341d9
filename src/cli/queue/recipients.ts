import { parseMailbox } from "../../mail/address.ts";
import type { Readdressing } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { applyChange, CHANGE_DETAILS, CHANGE_FLAGS } from "./apply.ts";

/** Changes who gets messages that are not done. */
export const queueRecipientsCommand: Command = {
  name: "queue recipients",
  summary: "Change recipients of messages that are not delivered yet.",
  operands: "[ID…]",
  details: "--remove cancels a recipient. --add adds one. Both together replace one recipient by " +
    "another in the messages that have it. No recipient gets a message twice. " +
    `${CHANGE_DETAILS}`,
  flags: [
    { name: "add", kind: "texts", value: "ADDRESS", help: "Recipient to add; may be repeated." },
    { name: "remove", kind: "text", value: "ADDRESS", help: "Recipient to cancel." },
    ...CHANGE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    {
      command: "queue recipients --remove jon@example.net --add john@example.net",
      does: "Correct a misspelt address in all messages",
    },
    {
      command: "queue recipients 01JZ3V9KQ8M2XW4T --add me@example.org",
      does: "Add a recipient to one message",
    },
  ],
  run: change,
};

async function change(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const remove = flags.text("remove");
  const wanted = flags.texts("add");
  if (remove === undefined && wanted.length === 0) {
    io.err("Name a recipient with --add or --remove.\n");
    return EXIT.usage;
  }
  if (remove !== undefined && flags.text("recipient") !== undefined) {
    io.err("Use --remove to name the recipient, not --recipient.\n");
    return EXIT.usage;
  }
  const add: { forwardPath: string; domain: string }[] = [];
  for (const forwardPath of wanted) {
    const parsed = parseMailbox(forwardPath);
    if (parsed.kind === "error") {
      io.err(`${forwardPath} is not a mail address: ${parsed.reason}.\n`);
      return EXIT.usage;
    }
    add.push({ forwardPath, domain: parsed.mailbox.domain });
  }
  const command: Readdressing = { add, ...(remove === undefined ? {} : { remove }) };
  return await applyChange(invocation, {
    ...{ name: "recipients", done: "Changed", states: ["queued", "held"] },
    command: { kind: "readdress", ...command },
    ...(remove === undefined ? {} : { narrowing: { recipient: remove }, isNarrow: true }),
  });
}
