import { type ExportWriter, FOLDER_MODE, withEnvelope, writeAnew } from "./writer.ts";
import { unixLines } from "./unix_lines.ts";

/**
 * Writes into a Maildir (https://cr.yp.to/proto/maildir.html), which is made when it is not there.
 * A message has the same name at every export, so it is never there twice.
 */
export async function maildirWriter(
  folder: string,
  { hostname }: { hostname: string },
): Promise<ExportWriter> {
  for (const name of ["tmp", "new", "cur"]) {
    await Deno.mkdir(`${folder}/${name}`, { recursive: true, mode: FOLDER_MODE });
  }
  // A slash or a colon would mean something else in the name of a file.
  const host = hostname.replace(/[/:]/g, (mark) => mark === "/" ? "\\057" : "\\072");
  return {
    async write(message) {
      const { id, receivedAtMs } = message.detail.message;
      const name = `${Math.floor(receivedAtMs / 1000)}.${id}.${host}`;
      const octets = unixLines(withEnvelope(message), { quotesFrom: false });
      await writeAnew(`${folder}/tmp/${name}`, octets);
      await Deno.rename(`${folder}/tmp/${name}`, `${folder}/new/${name}`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
