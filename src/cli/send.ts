import { Buffer } from "node:buffer";
import { Deadlines } from "../base/deadlines.ts";
import { systemClock } from "../base/clock.ts";
import { parseHostPort } from "../config/fields.ts";
import { parseMailbox } from "../mail/address.ts";
import type { Command, Invocation } from "./command.ts";
import { JSON_FLAG } from "./command.ts";
import type { DialogueLine } from "./dialogue.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "./io.ts";
import { fillerText, sampleMessage } from "./sample_message.ts";
import { type Failed, type Letter, type SentResult, type Submission, submit } from "./submit.ts";
import { styleOf } from "./style.ts";
import { counted } from "./text.ts";

const DEFAULT_SERVER = "127.0.0.1:2525";
const SMTP_PORT = 25;
const GENERATED_BYTES = 500;
const DEFAULT_TIMEOUT_MS = 60_000;

/** Sends one message to any SMTP server and shows the dialogue. */
export const sendCommand: Command = {
  name: "send",
  summary: "Send a message to an SMTP server and print the dialogue.",
  operands: "[FILE | -]",
  details:
    "The message is read from a file or standard input (-, or no file), or generated. It is " +
    "sent unchanged, except that line ends become CRLF. Exit status 0 means that the server " +
    "accepted the message for every recipient.",
  flags: [
    {
      name: "from",
      kind: "text",
      value: "ADDRESS",
      help: "Reverse-path; <> for the null reverse-path.",
    },
    { name: "to", kind: "texts", value: "ADDRESS", help: "Recipient." },
    {
      name: "server",
      short: "s",
      kind: "text",
      value: "HOST:PORT",
      help: `Server. Default: ${DEFAULT_SERVER}.`,
    },
    {
      name: "helo",
      kind: "text",
      value: "NAME",
      help: "Name in EHLO. Default: the system's host name.",
    },
    { name: "generate", short: "g", kind: "switch", help: "Generate the message." },
    { name: "subject", kind: "text", value: "TEXT", help: "Subject of a generated message." },
    { name: "size", kind: "count", value: "OCTETS", help: "Size of a generated message." },
    {
      name: "timeout",
      kind: "duration",
      value: "TIME",
      help: "Time limit of each step. Default: 1m.",
    },
    { name: "quiet", short: "q", kind: "switch", help: "Do not print the dialogue." },
    JSON_FLAG,
  ],
  examples: [
    {
      command: "send --generate --to somebody@example.net",
      does: "Send a generated message to the relay on this machine",
    },
    {
      command: "send letter.eml --from me@example.org --to a@example.net --to b@example.net",
      does: "Send a file to two recipients",
    },
    {
      command: "send --server mx.example.net:25 --to x@example.net - < letter.eml",
      does: "Send standard input to another server",
    },
  ],
  run: send,
};

async function send({ io, flags, operands }: Invocation): Promise<ExitCode> {
  const to = flags.texts("to");
  const from = reversePathOf(flags.text("from") ?? `posthouse@${io.hostname()}`);
  const place = flags.text("server") ?? DEFAULT_SERVER;
  const address = parseHostPort(place, { defaultPort: SMTP_PORT });
  if (address === null) return wrong(io, `--server needs a host and port, got ${place}.`);
  if (to.length === 0) return wrong(io, "Name at least one recipient with --to.");
  const strange = [from, ...to].find((path) => path !== "" && parseMailbox(path).kind !== "ok");
  if (strange !== undefined) return wrong(io, `Not a mail address: ${JSON.stringify(strange)}.`);
  if (operands.length > 1) return wrong(io, "Expected one file, got several.");

  const message = await messageOf({ io, flags, operands }, { from, to });
  if (message.kind === "unreadable") {
    io.err(`${message.reason}\n`);
    return EXIT.failed;
  }
  const server = {
    ...address,
    heloName: flags.text("helo") ?? io.hostname(),
    timeoutMs: flags.number("timeout") ?? DEFAULT_TIMEOUT_MS,
  };
  const letter = { reversePath: from, recipients: to, bytes: message.bytes };
  return await sendAndTell({ io, flags, operands }, { server, letter });
}

async function sendAndTell(
  { io, flags }: Invocation,
  { server, letter }: { server: Omit<Submission, "deadlines">; letter: Letter },
): Promise<ExitCode> {
  const asJson = flags.switch("json");
  const isShown = !asJson && !flags.switch("quiet");
  const dialogue: string[] = [];
  using deadlines = new Deadlines({ clock: systemClock });
  const result = await submit({
    ...server,
    deadlines,
    tell: (line) => isShown ? showLine(io, line) : dialogue.push(`${line.side}: ${line.text}`),
  }, letter);
  if (asJson) writeJson(io, { ...result, dialogue });
  else tellResult(io, result);
  return result.kind === "sent" && result.refused.length === 0 ? EXIT.ok : EXIT.failed;
}

function showLine(io: CliIo, { side, text }: DialogueLine): void {
  const style = styleOf(io);
  io.out(`${side === "C" ? style.cyan("C:") : style.dim("S:")} ${text}\n`);
}

function tellResult(io: CliIo, result: SentResult | Failed): void {
  const style = styleOf(io, "stderr");
  if (result.kind === "failed") {
    io.err(`${style.red("Not sent:")} ${result.reason}\n`);
    return;
  }
  if (result.accepted.length > 0) {
    io.err(`${style.green("Accepted")} for ${counted(result.accepted.length, "recipient")}.\n`);
  }
  for (const { recipient, reply } of result.refused) {
    io.err(`${style.red("Refused")} for ${recipient}: ${reply}\n`);
  }
}

type MessageSource =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "unreadable"; readonly reason: string };

async function messageOf(
  { io, flags, operands: [file = "-"] }: Invocation,
  { from, to }: { from: string; to: readonly string[] },
): Promise<MessageSource> {
  if (flags.switch("generate")) {
    const bytes = sampleMessage({
      from: from === "" ? `postmaster@${io.hostname()}` : from,
      to,
      subject: flags.text("subject") ?? "A generated message",
      id: crypto.randomUUID(),
      dateMs: Date.now(),
      text: fillerText(flags.number("size") ?? GENERATED_BYTES),
    });
    return { kind: "message", bytes };
  }
  try {
    const bytes = file === "-" ? await io.stdin.readAll() : await io.readFile(file);
    return { kind: "message", bytes: withCrlf(bytes) };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { kind: "unreadable", reason: `Cannot read the message: ${cause}` };
  }
}

/** The message with CRLF at the end of every line, the last one included (RFC 5321 2.3.8). */
function withCrlf(bytes: Uint8Array): Uint8Array {
  // latin1 makes one character of each octet and the other way round, so that none changes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const lines = text.replace(/\r\n|\r|\n/g, "\r\n");
  return Buffer.from(lines.endsWith("\r\n") ? lines : `${lines}\r\n`, "latin1");
}

/** `<>` is the null reverse-path; angle brackets around others are dropped. */
function reversePathOf(text: string): string {
  return /^<(.*)>$/.exec(text)?.[1] ?? text;
}

function wrong(io: CliIo, reason: string): ExitCode {
  io.err(`${reason}\nSee posthouse send --help.\n`);
  return EXIT.usage;
}
