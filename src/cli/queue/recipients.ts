import { parseMailbox } from "../../mail/address.ts";
import type { Readdressing } from "../../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode } from "../io.ts";
import { applyChange, CHANGE_DETAILS, CHANGE_FLAGS } from "./apply.ts";

/** Changes who gets messages that are not done. */
export const queueRecipientsCommand: Command = {
  name: "queue recipients",
  summary: "Change who gets messages that are not delivered yet.",
  operands: "[ID…]",
  details: "--remove cancels a recipient, --add gives the message to somebody besides; both " +
    "together replace one by another, in messages that have it. Nobody who has a message gets " +
    `it twice. ${CHANGE_DETAILS}`,
  flags: [
    { name: "add", kind: "texts", value: "ADDRESS", help: "Who gets it; may be repeated." },
    { name: "remove", kind: "text", value: "ADDRESS", help: "Who gets it no more." },
    ...CHANGE_FLAGS,
    JSON_FLAG,
  ],
  examples: [
    {
      command: "queue recipients --remove jon@example.net --add john@example.net",
      does: "An address that was misspelt, in all messages",
    },
    { command: "queue recipients 01JZ3V9KQ8M2XW4T --add me@example.org", does: "One more" },
  ],
  run: change,
};

async function change(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const remove = flags.text("remove");
  const wanted = flags.texts("add");
  if (remove === undefined && wanted.length === 0) {
    io.err("Name who gets it with --add, or who gets it no more with --remove.\n");
    return EXIT.usage;
  }
  if (remove !== undefined && flags.text("recipient") !== undefined) {
    io.err("--remove says which recipient is meant; leave --recipient away.\n");
    return EXIT.usage;
  }
  const add: { forwardPath: string; domain: string }[] = [];
  for (const forwardPath of wanted) {
    const parsed = parseMailbox(forwardPath);
    if (parsed.kind === "error") {
      io.err(`${forwardPath} is no mail address: ${parsed.reason}.\n`);
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
