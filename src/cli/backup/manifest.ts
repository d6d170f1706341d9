import { z } from "zod";
import { syncFolder } from "../../queue/sqlite/folder.ts";

const MANIFEST_FILE = "manifest.json";

const manifestSchema = z.object({
  version: z.literal(1),
  madeAtMs: z.int(),
  hostname: z.string(),
  program: z.string(),
  schemaVersion: z.int(),
  messages: z.int(),
  liveMessages: z.int(),
  files: z.array(z.object({
    // Below the backup, and nowhere else.
    path: z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\0]+$/),
    sizeBytes: z.int(),
    sha256: z.string(),
  })),
});

/** What is in a backup. */
export type Manifest = z.output<typeof manifestSchema>;

/** Writes the manifest, the last file of a backup: with it the backup is complete. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const path = `${folder}/${MANIFEST_FILE}`;
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  {
    using file = await Deno.open(`${path}.tmp`, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
    await file.sync();
  }
  await Deno.rename(`${path}.tmp`, path);
  await syncFolder(folder);
}

/** Reads the manifest of a backup, or tells why it has none. */
export async function readManifest(folder: string): Promise<Manifest | string> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${folder}/${MANIFEST_FILE}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${folder} is not a complete backup: ${MANIFEST_FILE} is missing`;
  }
  const parsed = manifestSchema.safeParse(jsonOf(text));
  return parsed.success ? parsed.data : `${MANIFEST_FILE} in ${folder} is damaged`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
