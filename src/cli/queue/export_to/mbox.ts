import { encodeText } from "../../../base/bytes.ts";
import { type ExportWriter, FILE_MODE, withEnvelope } from "./writer.ts";
import { unixLines } from "./unix_lines.ts";

/**
 * Writes one mbox (RFC 4155, quoted as mboxrd has it).
 *
 * @throws Deno.errors.AlreadyExists when the file is there, unless messages are to be appended.
 */
export async function mboxWriter(
  path: string,
  { appends }: { appends: boolean },
): Promise<ExportWriter> {
  const file = await Deno.open(path, {
    ...appends ? { append: true, create: true } : { write: true, createNew: true },
    mode: FILE_MODE,
  });
  const put = async (bytes: Uint8Array): Promise<void> => {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await file.write(rest));
  };
  return {
    async write(message) {
      const { reversePath, receivedAtMs } = message.detail.message;
      await put(encodeText(fromLine(reversePath, receivedAtMs)));
      for await (const chunk of unixLines(withEnvelope(message), { quotesFrom: true })) {
        await put(chunk);
      }
      await put(encodeText("\n"));
    },
    async [Symbol.asyncDispose]() {
      await file.sync();
      file.close();
    },
  };
}

/** `From me@example.org Thu Jan  1 00:00:00 1970`: the time in UTC (RFC 4155 appendix A). */
function fromLine(reversePath: string, atMs: number): string {
  const [weekday, day, month, year, time] = new Date(atMs).toUTCString().replace(",", "").split(
    " ",
  );
  const sender = reversePath === "" ? "MAILER-DAEMON" : reversePath.replaceAll(/\s/g, "_");
  const dayText = String(Number(day)).padStart(2);
  return `From ${sender} ${weekday} ${month} ${dayText} ${time} ${year}\n`;
}
