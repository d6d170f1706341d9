import { BodyHash, type BodyHashWish } from "../body_hash.ts";

/** The hashes of one body that its signatures ask for; each is made once. */
export class BodyHashes {
  readonly #hashes: BodyHash[] = [];

  /** The hash for a wish; all are wished for before the first octets. */
  want(wish: BodyHashWish): BodyHash {
    const known = this.#hashes.find(({ wish: { form, limitBytes } }) =>
      form === wish.form && limitBytes === wish.limitBytes
    );
    if (known !== undefined) return known;
    const hash = new BodyHash(wish);
    this.#hashes.push(hash);
    return hash;
  }

  write(chunk: Uint8Array): void {
    for (const hash of this.#hashes) hash.write(chunk);
  }
}
