import { concatBytes, encodeText } from "../../../base/bytes.ts";
import type { MessageDetail } from "../../../queue/store.ts";

/** Formats that messages can be exported in. */
export const EXPORT_FORMATS = ["posthouse", "eml", "maildir", "mbox"] as const;
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** A message with its octets. */
export interface Exportable {
  readonly detail: MessageDetail;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Writes messages in one format. */
export interface ExportWriter extends AsyncDisposable {
  write(message: Exportable): Promise<void>;
}

/** What people wrote to each other is for the owner of the files alone. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

/**
 * Writes a file that is new, in the place of another where one is: what stood there may be a link
 * to elsewhere, or readable for others.
 */
export async function writeAnew(path: string, data: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const options = { createNew: true, mode: FILE_MODE };
  await Deno.writeFile(path, ReadableStream.from(data), options);
}

/**
 * The message as it would leave, after the fields by which mailboxes keep an envelope: so it can
 * be imported again, by this program or another.
 */
export async function* withEnvelope({ detail, body }: Exportable): AsyncGenerator<Uint8Array> {
  const { message: { reversePath, prefix = "" }, recipients } = detail;
  const open = recipients.filter(({ state }) => state === "queued" || state === "held");
  const paths = (open.length > 0 ? open : recipients).map(({ forwardPath }) => forwardPath);
  const fields = [`Return-Path: <${reversePath}>`, `Envelope-To: ${paths.join(",\r\n ")}`];
  yield concatBytes([encodeText(`${fields.join("\r\n")}\r\n`), encodeText(prefix)]);
  yield* body;
}
