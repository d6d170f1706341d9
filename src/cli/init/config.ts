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
  summary: "Ask some questions, write a config, and print how to start the relay.",
  details: "At a terminal it asks for everything that no flag sets. Without a terminal, or with " +
    "--yes, it uses the defaults. Secrets are not written to the config, which names " +
    "environment variables instead. The printed command has exactly the permissions that the " +
    "config needs. init systemd, init container and init compose print files to run it as a " +
    "service.",
  flags: [
    {
      name: "output",
      short: "o",
      kind: "text",
      value: "FILE",
      help: `File to write; - is standard output. Default: ${DEFAULT_CONFIG_FILE}.`,
    },
    {
      name: "for",
      kind: "text",
      value: "WHAT",
      choices: PURPOSES,
      help: "Purpose of the relay. Default: app.",
    },
    { name: "hostname", kind: "text", value: "NAME", help: "Host name of the relay in the DNS." },
    { name: "address", kind: "text", value: "ADDRESS", help: "IP address to listen on." },
    { name: "port", kind: "count", value: "PORT", help: "TCP port to listen on." },
    {
      name: "networks",
      kind: "text",
      value: "LIST",
      help: "Networks that may relay to any domain, for --for lan.",
    },
    {
      name: "way",
      kind: "text",
      value: "WAY",
      choices: [...PLAIN_WAYS, ...RELAY_TYPES],
      help: "How mail leaves. Default: mx.",
    },
    {
      name: "smarthost",
      kind: "text",
      value: "HOST:PORT",
      help: "The smarthost, for --way smarthost.",
    },
    { name: "username", kind: "text", value: "NAME", help: "User name for the smarthost." },
    {
      name: "set",
      kind: "texts",
      value: "KEY=VALUE",
      help: "A key of an HTTP API. For a secret, the name of its environment variable.",
    },
    { name: "certificate", kind: "text", value: "FILE", help: "Certificate for STARTTLS, PEM." },
    { name: "key", kind: "text", value: "FILE", help: "Key of the certificate, PEM." },
    {
      name: "admin-port",
      kind: "count",
      value: "PORT",
      help: "Port of the dashboard; 0 disables it.",
    },
    { name: "data-dir", kind: "text", value: "FOLDER", help: "Data folder. Default: ./data." },
    { name: "force", kind: "switch", help: "Replace an existing config file." },
    { name: "yes", short: "y", kind: "switch", help: "Ask nothing and use the defaults." },
    JSON_FLAG,
  ],
  examples: [
    { command: "init", does: "Answer the questions" },
    {
      command: "init --yes --way smarthost --smarthost mail.example.net:587 --username relay",
      does: "Relay for an application, through a smarthost with a login",
    },
    { command: "init --yes --for staging -o -", does: "Print the config of a relay for tests" },
    {
      command: "init --yes --way mailgun --set domain=mg.example.net --set api_key=MAILGUN_KEY",
      does: "Send through an HTTP API",
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
  if (asks && await isAgreed(io, `${file} already exists. Replace it?`)) return true;
  io.err(
    asks ? "No config was written.\n" : `${file} already exists. Use --force to replace it.\n`,
  );
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
  app: "A relay for applications on this machine.",
  lan: "A relay for the devices and servers of a network.",
  staging: "A relay that captures all mail and sends none.",
};

function textOf(answers: Answers): string {
  return `# ${HEADINGS[answers.purpose]}\n# posthouse check validates this file and prints the ` +
    "defaults; posthouse schema describes every key.\n\n" +
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
    io.out(`\n${bold("Set before starting:")}\n  ${variables.join("\n  ")}\n`);
  }
  io.out(`\n${bold("Start it with exactly the permissions it needs:")}\n`);
  io.out(`  ${shellText(command)}\n`);
  io.out(`\n${bold("Send a test message:")}\n`);
  io.out(`  posthouse send --generate --server ${server}:${port} --to you@example.net\n`);
  if (admin !== null) {
    io.out(
      `\n${bold("Open the dashboard, and sign in with a key as the password and no name:")}\n`,
    );
    io.out(`  posthouse key add me --role admin --config ${file}\n`);
    io.out(`  http://127.0.0.1:${admin.port}/\n`);
  }
  io.out(`\n${bold("Run it as a service:")}\n`);
  for (const what of ["systemd", "container", "compose"]) {
    io.out(`  posthouse init ${what} --config ${file}\n`);
  }
}
