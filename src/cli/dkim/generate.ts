import { generateKey, readKey } from "../../signing/key.ts";
import { recordName, recordValue, zoneLine } from "../../signing/record.ts";
import { type Command, type Invocation, JSON_FLAG } from "../command.ts";
import { EXIT, type ExitCode, writeJson } from "../io.ts";

/** Makes a key that signs mail, and its DNS record. */
export const dkimGenerateCommand: Command = {
  name: "dkim generate",
  summary: "Generate a DKIM key and print its DNS record.",
  details: "Writes the private key to a file that only its owner can read, and prints the TXT " +
    "record to publish and the lines for the config file. Existing files are not overwritten.",
  flags: [
    {
      name: "domain",
      short: "d",
      kind: "text",
      value: "DOMAIN",
      help: "Domain that signs. Required.",
    },
    {
      name: "selector",
      short: "s",
      kind: "text",
      value: "NAME",
      help: "Selector of the key. Default: year and month.",
    },
    {
      name: "type",
      kind: "text",
      value: "TYPE",
      choices: ["rsa", "ed25519"],
      help:
        "rsa is verified by all receivers. ed25519 is short and fast; use it in addition to an " +
        "RSA key. Default: rsa.",
    },
    {
      name: "bits",
      kind: "count",
      value: "N",
      help: "Length of an RSA key. Default: 2048.",
    },
    {
      name: "out",
      short: "o",
      kind: "text",
      value: "FILE",
      help: "File for the private key. Default: SELECTOR.DOMAIN.pem.",
    },
    JSON_FLAG,
  ],
  examples: [
    {
      command: "dkim generate --domain example.net",
      does: "Write an RSA key to the current folder",
    },
    {
      command: "dkim generate -d example.net -s ed1 --type ed25519 -o /etc/posthouse/ed1.pem",
      does: "Write an Ed25519 key to a given file",
    },
  ],
  run: generate,
};

const RSA_BITS = { least: 2048, most: 8192 };

async function generate({ io, flags }: Invocation): Promise<ExitCode> {
  const domain = flags.text("domain")?.toLowerCase();
  const bits = flags.number("bits") ?? RSA_BITS.least;
  const problem = problemOf({ domain, bits });
  if (domain === undefined || problem !== null) {
    io.err(`${problem}\n`);
    return EXIT.usage;
  }
  const type = flags.text("type") === "ed25519" ? "ed25519" : "rsa";
  const selector = (flags.text("selector") ?? defaultSelector(type)).toLowerCase();
  const file = flags.text("out") ?? `${selector}.${domain}.pem`;
  const pem = generateKey({ type, bits });
  if (!(await writeNew(file, pem))) {
    io.err(`${file} already exists; it was not changed. Choose another file with --out.\n`);
    return EXIT.failed;
  }
  const read = readKey(pem);
  if (read.kind === "problem") throw new Error(`cannot read the new key: ${read.reason}`);
  const name = recordName({ selector, domain });
  const value = recordValue(read.key);
  if (flags.switch("json")) writeJson(io, { domain, selector, type, file, name, value });
  else {
    io.out(
      `The private key is in ${file}.\n\nPublish this record, in a zone file:\n\n` +
        `${zoneLine(name, value)}\n\nor in a form that asks for them:\n\n` +
        `Name:  ${name}\nType:  TXT\nValue: ${value}\n\nThen let the relay sign with it:\n\n[[dkim]]\ndomain = "${domain}"\n` +
        `selector = "${selector}"\nkey = { file = ${JSON.stringify(file)} }\n\n` +
        "posthouse dkim check shows whether the DNS has it.\n",
    );
  }
  return EXIT.ok;
}

function problemOf(
  { domain, bits }: { domain: string | undefined; bits: number },
): string | null {
  if (domain === undefined || !/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(domain)) {
    return "Name the signing domain: --domain example.net";
  }
  const isLength = bits >= RSA_BITS.least && bits <= RSA_BITS.most;
  return isLength
    ? null
    : `An RSA key needs ${RSA_BITS.least} to ${RSA_BITS.most} bits, got ${bits}`;
}

function defaultSelector(type: string): string {
  const month = new Date().toISOString().slice(0, 7).replace("-", "");
  return type === "rsa" ? `ph${month}` : `ph${month}ed`;
}

/** Writes a file that only its owner can read; false when there is one of that name. */
async function writeNew(file: string, text: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(file, text, { createNew: true, mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}
