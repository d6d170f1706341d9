import type { Conn } from "./conn.ts";
import { ConnError } from "./conn_error.ts";

/**
 * Reads exactly `sizeBytes` octets.
 *
 * @throws ConnError when the stream ends before.
 */
export async function readFully(conn: Conn, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(sizeBytes);
  for (let received = 0; received < sizeBytes;) {
    const lengthBytes = await conn.read(into.subarray(received));
    if (lengthBytes === null) {
      throw new ConnError("reset", { message: "Cannot read the answer: the stream ended early" });
    }
    received += lengthBytes;
  }
  return into;
}
