import { createHash } from "node:crypto";
import { encodeText } from "../../../base/bytes.ts";
import { type Exportable, type ExportWriter, withEnvelope, writeAnew } from "./writer.ts";

/** Writes `.eml` files; with `json` the octets as they are stored and the envelope beside them. */
export function fileWriter(folder: string, { json }: { json: boolean }): ExportWriter {
  return {
    async write(message) {
      const path = `${folder}/${message.detail.message.id}`;
      if (json) return await writeBoth(path, message);
      await writeAnew(`${path}.eml`, withEnvelope(message));
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
  await writeAnew(`${path}.eml`, hashed());
  const { message, recipients } = detail;
  const envelope = { ...message, sha256: hash.digest("hex"), recipients };
  await writeAnew(`${path}.json`, once(encodeText(`${JSON.stringify(envelope, null, 2)}\n`)));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
