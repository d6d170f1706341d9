import { fileRange, type MailSource, type SourceItem, strangeFile } from "./source.ts";
import { mailLines } from "./mail_lines.ts";

/** Flags of messages that nobody wants to send, unless they say so. */
const PASSED_FLAGS: Readonly<Record<string, string>> = { T: "trashed", D: "a draft" };

/** The messages of a Maildir (https://cr.yp.to/proto/maildir.html): those in `new` and `cur`. */
export function maildirSource(path: string, { takesAll }: { takesAll: boolean }): MailSource {
  return {
    ...{ path, format: "maildir" },
    count: async () => (await entriesOf(path)).length,
    async *items() {
      for (const entry of await entriesOf(path)) yield await itemOf(path, { entry, takesAll });
    },
  };
}

interface Entry {
  readonly folder: "new" | "cur";
  readonly name: string;
}

/** All messages in the order of their names, which begin with the time of their delivery. */
async function entriesOf(path: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const folder of ["new", "cur"] as const) {
    for await (const { name, isDirectory } of Deno.readDir(`${path}/${folder}`)) {
      if (!isDirectory && !name.startsWith(".")) entries.push({ folder, name });
    }
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function itemOf(
  path: string,
  { entry: { folder, name }, takesAll }: { entry: Entry; takesAll: boolean },
): Promise<SourceItem> {
  const label = `${path}/${folder}/${name}`;
  // Some file systems do not allow the colon, and mail readers there write another mark.
  const [, unique = name, flags = ""] = /^(.*?)(?:[:;!]2,([A-Za-z]*))?$/.exec(name) ?? [];
  const passed = [...flags].map((flag) => PASSED_FLAGS[flag]).find(Boolean);
  const reason = (takesAll ? undefined : passed) ?? await strangeFile(label);
  if (reason !== null) return { kind: "passed", label, reason };
  return {
    ...{ kind: "message", label, reversePath: null, exported: null },
    identity: `maildir ${unique}`, // it stays when the message is moved or marked
    octets: () => mailLines(fileRange(label, { start: 0, end: Infinity }), { quoting: "none" }),
  };
}
