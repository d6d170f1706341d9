import { DEFAULT_CONFIG_FILE, loadConfig } from "../../config/load.ts";
import { printToml } from "../../config/print_toml.ts";
import { RELAY_TYPES } from "../../relay/schemas.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { writeProblems } from "../configuration.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "../io.ts";
import { isAgreed } from "../question.ts";
import { styleOf } from "../style.ts";
import { type Answers, documentOf, PLAIN_WAYS, PURPOSES, variablesOf } from "./answers.ts";
import { MissingAnswer, Questions } from "./questions.ts";
import { programFolder, shellText, startCommand } from "./start_command.ts";

/** Stands for a variable that is not set yet, while a new config is checked. */
const PLACEHOLDER = "a-value-that-is-not-set-yet";

/** Asks a few questions and writes a config. */
export const initCommand: Command = {
  name: "init",
  summary: "Ask a few questions, write a config, and print how to start the relay.",
  details: "At a terminal it asks for what the flags do not say; elsewhere, and with --yes, the " +
    "usual holds. Secrets are not written into the config: it names environment variables. What " +
    "it prints has the permissions that this config needs, and no more. init systemd, init " +
    "container and init compose print the files that run it as a service.",
  flags: [
    {
      name: "output",
      short: "o",
      kind: "text",
      value: "FILE",
      help: `Where to; ${DEFAULT_CONFIG_FILE}. - is standard output.`,
    },
    { name: "for", kind: "text", value: "WHAT", choices: PURPOSES, help: "What the relay is for." },
    { name: "hostname", kind: "text", value: "NAME", help: "Its own name in the DNS." },
    { name: "address", kind: "text", value: "ADDRESS", help: "IP address to take mail on." },
    { name: "port", kind: "count", value: "PORT", help: "TCP port to take mail on." },
    { name: "networks", kind: "text", value: "LIST", help: "Who may send to anybody, for lan." },
    {
      name: "way",
      kind: "text",
      value: "WAY",
      choices: [...PLAIN_WAYS, ...RELAY_TYPES],
      help: "How mail leaves.",
    },
    { name: "smarthost", kind: "text", value: "HOST:PORT", help: "The server of that way." },
    { name: "username", kind: "text", value: "NAME", help: "The login there." },
    {
      name: "set",
      kind: "texts",
      value: "KEY=VALUE",
      help: "A key of an HTTP API; for a secret the name of its variable.",
    },
    { name: "certificate", kind: "text", value: "FILE", help: "Certificate for STARTTLS, PEM." },
    { name: "key", kind: "text", value: "FILE", help: "Its key, PEM." },
    { name: "admin-port", kind: "count", value: "PORT", help: "Of the dashboard; 0 for none." },
    { name: "data-dir", kind: "text", value: "FOLDER", help: "Folder of the queue; ./data." },
    { name: "force", kind: "switch", help: "Replace a config that is there." },
    { name: "yes", short: "y", kind: "switch", help: "Ask nothing." },
    JSON_FLAG,
  ],
  examples: [
    { command: "init", does: "With questions" },
    {
      command: "init --yes --way smarthost --smarthost mail.example.net:587 --username relay",
      does: "Behind an application, through a server that wants a login",
    },
    { command: "init --yes --for staging -o -", does: "Only show the config of a relay for tests" },
    {
      command: "init --yes --way mailgun --set domain=mg.example.net --set api_key=MAILGUN_KEY",
      does: "Through an HTTP API",
    },
  ],
  run: init,
};

async function init(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const file = flags.text("output") ?? DEFAULT_CONFIG_FILE;
  try {
    if (!await mayWrite(invocation, file)) return EXIT.failed;
    const answers = await new Questions(io, flags).answers();
    const text = textOf(answers);
    const loaded = await checked(io, { text, answers, file });
    if (loaded.kind === "invalid") {
      writeProblems(io, loaded);
      io.err("No config was written.\n");
      return EXIT.usage;
    }
    if (file !== "-") await Deno.writeTextFile(file, text, { mode: 0o600 });
    const facts = { ...loaded, file, program: programFolder() };
    tell(invocation, { answers, text, file, command: startCommand(facts) });
    return EXIT.ok;
  } catch (error) {
    const isExpected = error instanceof MissingAnswer || error instanceof Error && "code" in error;
    if (!isExpected) throw error;
    io.err(`${error.message}\n`);
    return error instanceof MissingAnswer ? EXIT.usage : EXIT.failed;
  }
}

/** Whether the file may be written: it is not there, or it may be replaced. */
async function mayWrite({ io, flags }: Invocation, file: string): Promise<boolean> {
  if (file === "-" || flags.switch("force") || !await exists(file)) return true;
  const asks = io.terminal.stdin && !flags.switch("yes");
  if (asks && await isAgreed(io, `There is ${file} already. Replace it?`)) return true;
  io.err(asks ? "No config was written.\n" : `There is ${file} already; --force replaces it.\n`);
  return false;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const HEADINGS: Readonly<Record<Answers["purpose"], string>> = {
  app: "A relay behind applications on this machine.",
  lan: "A relay for the devices and servers of a network.",
  staging: "A relay that keeps all mail to be looked at, and sends none.",
};

function textOf(answers: Answers): string {
  return `# ${HEADINGS[answers.purpose]}\n` +
    "# posthouse check validates it and shows all that holds; posthouse schema knows every key.\n\n" +
    printToml(documentOf(answers));
}

/** Loads the text as the relay will; variables that are not set yet count as set. */
async function checked(
  io: CliIo,
  { text, answers, file }: { text: string; answers: Answers; file: string },
): ReturnType<typeof loadConfig> {
  const missing = new Set(variablesOf(answers));
  return await loadConfig({
    path: file,
    env: (name) => io.env(name) ?? (missing.has(name) ? PLACEHOLDER : undefined),
    readFile: (path) => path === file ? Promise.resolve(text) : io.readTextFile(path),
    systemHostname: io.hostname(),
  });
}

function tell(
  { io, flags }: Invocation,
  { answers, text, file, command }: {
    answers: Answers;
    text: string;
    file: string;
    command: readonly string[];
  },
): void {
  const variables = variablesOf(answers).filter((name) => io.env(name) === undefined);
  if (flags.switch("json")) {
    writeJson(io, { file: file === "-" ? null : file, config: text, command, variables });
    return;
  }
  if (file === "-") {
    io.out(text);
    return;
  }
  const { bold, green } = styleOf(io);
  const { address, port, admin } = answers;
  const server = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
  io.out(`${green("Wrote")} ${file}.\n`);
  if (variables.length > 0) {
    io.out(`\n${bold("Set before it starts:")}\n  ${variables.join("\n  ")}\n`);
  }
  io.out(`\n${bold("Start it, with the permissions it needs and no more:")}\n`);
  io.out(`  ${shellText(command)}\n`);
  io.out(`\n${bold("Send a message through it:")}\n`);
  io.out(`  posthouse send --generate --server ${server}:${port} --to you@example.net\n`);
  if (admin !== null) {
    io.out(`\n${bold("Look at it, signed in with a key and no name:")}\n`);
    io.out(`  posthouse key add me --role admin --config ${file}\n`);
    io.out(`  http://127.0.0.1:${admin.port}/\n`);
  }
  io.out(`\n${bold("Run it as a service:")}\n`);
  for (const what of ["systemd", "container", "compose"]) {
    io.out(`  posthouse init ${what} --config ${file}\n`);
  }
}
