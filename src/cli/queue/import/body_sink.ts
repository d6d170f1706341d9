import { concatBytes } from "../../../base/bytes.ts";
import type { BodyPlace, SpoolWriter } from "../../../queue/store.ts";

const SPOOL_WRITE_BYTES = 256 * 1024;

/** Takes the octets of one message: in memory up to a threshold, in a spool file above it. */
export class BodySink {
  readonly #thresholdBytes: number;
  readonly #spool: () => SpoolWriter;
  #writer: SpoolWriter | null = null;
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;

  constructor({ thresholdBytes, spool }: { thresholdBytes: number; spool: () => SpoolWriter }) {
    this.#thresholdBytes = thresholdBytes;
    this.#spool = spool;
  }

  /** Takes octets that nobody changes afterwards. Throws StoreError as spool files do. */
  async write(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.#heldBytes += piece.length;
    const limit = this.#writer === null ? this.#thresholdBytes : SPOOL_WRITE_BYTES;
    if (this.#heldBytes > limit) await this.#flush();
  }

  /** Where the octets are; they are on disk when that is a spool file. */
  async finish(): Promise<BodyPlace> {
    if (this.#writer === null) return { kind: "inline", bytes: concatBytes(this.#pieces) };
    await this.#flush();
    return { kind: "spool", name: await this.#writer.finish() };
  }

  async discard(): Promise<void> {
    this.#pieces = [];
    await this.#writer?.discard();
  }

  async #flush(): Promise<void> {
    this.#writer ??= this.#spool();
    await this.#writer.write(concatBytes(this.#pieces));
    this.#pieces = [];
    this.#heldBytes = 0;
  }
}
