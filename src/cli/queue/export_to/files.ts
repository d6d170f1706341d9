import { createHash } from "node:crypto";
import { type Exportable, type ExportWriter, FILE_MODE, withEnvelope } from "./writer.ts";

/** Writes `.eml` files; with `json` the octets as they are stored and the envelope beside them. */
export function fileWriter(folder: string, { json }: { json: boolean }): ExportWriter {
  return {
    async write(message) {
      const path = `${folder}/${message.detail.message.id}`;
      if (json) return await writeBoth(path, message);
      await Deno.writeFile(`${path}.eml`, ReadableStream.from(withEnvelope(message)), {
        mode: FILE_MODE,
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Writes the envelope last, so that it tells that the octets are complete. */
async function writeBoth(path: string, { detail, body }: Exportable): Promise<void> {
  const hash = createHash("sha256");
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await Deno.writeFile(`${path}.eml`, ReadableStream.from(hashed()), { mode: FILE_MODE });
  const { message, recipients } = detail;
  const envelope = { ...message, sha256: hash.digest("hex"), recipients };
  await Deno.writeTextFile(`${path}.json`, `${JSON.stringify(envelope, null, 2)}\n`, {
    mode: FILE_MODE,
  });
}
