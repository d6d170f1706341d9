import { emlSource } from "./eml.ts";
import { maildirSource } from "./maildir.ts";
import { mboxSource } from "./mbox.ts";
import type { ImportFormat, MailSource } from "./source.ts";

/** The source at a path, or why there is none. */
export type SourceResult =
  | { readonly kind: "source"; readonly source: MailSource }
  | { readonly kind: "unusable"; readonly reason: string };

/** Finds out what stands at a path, unless the format is given. */
export async function openSource(
  path: string,
  { format, takesAll }: { format: ImportFormat | null; takesAll: boolean },
): Promise<SourceResult> {
  try {
    const found = format ?? await formatOf(path);
    if (found !== null) return { kind: "source", source: sourceOf(path, { found, takesAll }) };
    const reason = `${path} is not a Maildir, mbox or .eml file; name its format with --format.`;
    return { kind: "unusable", reason };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { kind: "unusable", reason: `${path} does not exist.` };
    }
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return { kind: "unusable", reason: `No permission to read ${path}.` };
  }
}

function sourceOf(
  path: string,
  { found, takesAll }: { found: ImportFormat; takesAll: boolean },
): MailSource {
  switch (found) {
    case "maildir":
      return maildirSource(path, { takesAll });
    case "eml":
      return emlSource(path);
    default:
      return mboxSource(path, found);
  }
}

async function formatOf(path: string): Promise<ImportFormat | null> {
  const { isDirectory } = await Deno.stat(path);
  if (isDirectory) return await folderFormat(path);
  if (/\.eml$/i.test(path)) return "eml";
  using file = await Deno.open(path);
  const head = new Uint8Array(5);
  await file.read(head);
  return new TextDecoder().decode(head) === "From " ? "mbox" : null;
}

async function folderFormat(path: string): Promise<ImportFormat | null> {
  const names = new Set<string>();
  for await (const { name } of Deno.readDir(path)) {
    if (/\.(?:eml|json)$/i.test(name)) return "eml";
    if (name === "new" || name === "cur") names.add(name);
  }
  return names.size === 2 ? "maildir" : null;
}
