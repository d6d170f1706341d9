import { createHash, type Hash } from "node:crypto";
import { RelaxedBody } from "./body_canon.ts";
import { SimpleBody } from "./simple_body.ts";

/** How octets are made comparable before they are signed (RFC 6376 section 3.4). */
export type CanonForm = "simple" | "relaxed";

/** What is hashed of a body. */
export interface BodyHashWish {
  readonly form: CanonForm;
  /** Octets of the canonical form that count, `l=`; null for all. */
  readonly limitBytes: number | null;
}

/** Hashes a body in one form, as its octets pass. */
export class BodyHash {
  readonly wish: BodyHashWish;
  readonly #hash: Hash = createHash("sha256");
  readonly #body: RelaxedBody | SimpleBody;
  #leftBytes: number;
  #digest: string | null = null;

  constructor(wish: BodyHashWish = { form: "relaxed", limitBytes: null }) {
    this.wish = wish;
    this.#leftBytes = wish.limitBytes ?? Infinity;
    const sink = (piece: string | Uint8Array): void => this.#update(piece);
    this.#body = wish.form === "relaxed" ? new RelaxedBody(sink) : new SimpleBody(sink);
  }

  /** The next octets of the body. */
  write(chunk: Uint8Array): void {
    this.#body.write(chunk);
  }

  /** The hash in base64; null when the body is shorter than what was to be hashed of it. */
  end(): string | null {
    if (this.#digest === null) {
      this.#body.end();
      this.#digest = this.#hash.digest("base64");
    }
    const isShort = this.wish.limitBytes !== null && this.#leftBytes > 0;
    return isShort ? null : this.#digest;
  }

  #update(piece: string | Uint8Array): void {
    if (this.#leftBytes === Infinity) return this.#take(piece);
    const part = typeof piece === "string"
      ? piece.slice(0, this.#leftBytes)
      : piece.subarray(0, this.#leftBytes);
    this.#leftBytes -= part.length;
    this.#take(part);
  }

  #take(piece: string | Uint8Array): void {
    if (typeof piece === "string") this.#hash.update(piece, "latin1");
    else this.#hash.update(piece);
  }
}
