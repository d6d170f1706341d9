import { parseExported } from "./exported.ts";
import { mailLines } from "./mail_lines.ts";
import { fileRange, type MailSource, type SourceItem, strangeFile } from "./source.ts";

const EML = /\.eml$/i;

/**
 * One `.eml` file, or those of a folder, each with the envelope that `queue export` wrote beside
 * it, where there is one.
 */
export function emlSource(path: string): MailSource {
  return {
    ...{ path, format: "eml" },
    count: async () => (await filesOf(path)).length,
    async *items() {
      for (const file of await filesOf(path)) {
        const reason = file === path ? null : await strangeFile(file); // a link may be named itself
        yield reason === null ? await itemOf(file) : { kind: "passed", label: file, reason };
      }
    },
  };
}

/** The files without their suffix, in the order of their names. */
async function filesOf(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const stems = new Set<string>();
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory || name.startsWith(".")) continue;
    if (EML.test(name)) stems.add(name);
    // An envelope without its message is told as such.
    else if (/^[0-9A-Z]{16}\.json$/.test(name)) stems.add(name.replace(/json$/, "eml"));
  }
  return [...stems].sort().map((name) => `${path}/${name}`);
}

async function itemOf(file: string): Promise<SourceItem> {
  const text = await readIfThere(file.replace(EML, ".json"));
  const exported = text === null ? null : parseExported(text);
  if (typeof exported === "string") return { kind: "problem", label: file, reason: exported };
  const octets = (): AsyncIterable<Uint8Array> => fileRange(file, { start: 0, end: Infinity });
  return {
    ...{ kind: "message", label: file, reversePath: null, exported },
    identity: `eml ${file.split("/").at(-1)}`,
    // What was exported goes back octet by octet.
    octets: () => exported === null ? mailLines(octets(), { quoting: "none" }) : octets(),
  };
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
