import type { ExportedEnvelope } from "./exported.ts";

/** Formats that mail can be imported from. */
export const IMPORT_FORMATS = ["maildir", "mbox", "mboxo", "mboxcl", "mboxcl2", "eml"] as const;
export type ImportFormat = typeof IMPORT_FORMATS[number];

/** One message of a source. */
export interface SourceMessage {
  readonly kind: "message";
  /** Where it stands, for people: `inbox.mbox at 1204`. */
  readonly label: string;
  /** Tells it from other messages with the same octets; the same at every look. */
  readonly identity: string;
  /** Who sent it, as the source says beside the header section; null when it does not. */
  readonly reversePath: string | null;
  /** The envelope that `queue export` wrote with it. */
  readonly exported: ExportedEnvelope | null;
  /** Its octets, with the line ends that the source has. */
  octets(): AsyncIterable<Uint8Array>;
}

/** What a source has in the place of a message. */
export type SourceItem =
  | SourceMessage
  /** Left out on purpose. */
  | { readonly kind: "passed"; readonly label: string; readonly reason: string }
  /** Something that cannot be read as a message. */
  | { readonly kind: "problem"; readonly label: string; readonly reason: string };

/** Where messages come from. */
export interface MailSource {
  /** As it was named. */
  readonly path: string;
  readonly format: ImportFormat;
  /** How many items there are. */
  count(): Promise<number>;
  items(): AsyncIterable<SourceItem>;
}

/**
 * Why a file in a folder is left out; null when it is not. What is in somebody's folder may be a
 * link to a file of others, or a pipe that never ends.
 */
export async function strangeFile(path: string): Promise<string | null> {
  try {
    return (await Deno.lstat(path)).isFile ? null : "a link or not a file";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null; // told when it is read
    throw error;
  }
}

const CHUNK_BYTES = 256 * 1024;

/** The octets of a part of a file, each chunk good only until the next one is asked for. */
export async function* fileRange(
  path: string,
  { start, end }: { start: number; end: number },
): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  if (start > 0) await file.seek(start, Deno.SeekMode.Start);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let left = end - start; left > 0;) {
    const length = await file.read(buffer.subarray(0, Math.min(left, buffer.length)));
    if (length === null) return;
    yield buffer.subarray(0, length);
    left -= length;
  }
}
