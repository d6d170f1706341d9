import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import type { Gate } from "../base/gate.ts";
import { authorsOf } from "./author.ts";
import { BodyHash } from "./body_hash.ts";
import type { MessageHeader } from "./header_canon.ts";
import { type DkimKey, keysForAuthors } from "./keys.ts";
import {
  canonicalText,
  fieldsToSign,
  type SignedFields,
  signedFields,
  unsignedField,
  withSignature,
} from "./signature.ts";
import { SigningStream, type SigningWork } from "./stream.ts";

/** What signers share. */
export interface SignerOptions {
  readonly keys: readonly DkimKey[];
  readonly clock: Clock;
  /** Lets only so many signatures be made at once, so that others have time, too. */
  readonly gate: Gate;
}

/** Signs messages with DKIM (RFC 6376). */
export class DkimSigner {
  readonly #options: SignerOptions;

  constructor(options: SignerOptions) {
    this.#options = options;
  }

  /** Starts on a message. */
  begin(): SigningStream {
    return new SigningStream((header) => this.work(header));
  }

  /** Starts on a message whose header section is known; null when no key is its author's. */
  work(header: MessageHeader): SigningWork | null {
    const keys = keysForAuthors(this.#options.keys, authorsOf(header));
    return keys.length === 0 ? null : new DkimWork({ ...this.#options, keys }, header);
  }
}

class DkimWork implements SigningWork {
  readonly #options: SignerOptions;
  readonly #signed: SignedFields;
  readonly #body = new BodyHash();

  constructor(options: SignerOptions, header: MessageHeader) {
    this.#options = options;
    this.#signed = signedFields(header, fieldsToSign(header.fields));
  }

  write(chunk: Uint8Array): void {
    this.#body.write(chunk);
  }

  async finish(): Promise<string> {
    const { keys, gate } = this.#options;
    const bodyHash = this.#body.end() ?? "";
    const signatures = await Promise.all(
      keys.map((key) => gate.run(() => this.#sign(key, bodyHash))),
    );
    return signatures.join("");
  }

  async #sign({ domain, selector, key }: DkimKey, bodyHash: string): Promise<string> {
    const facts = {
      fieldName: "DKIM-Signature",
      tags: [
        ["v", "1"],
        ["a", key.algorithm],
        ["c", "relaxed/relaxed"],
        ["d", domain],
        ["s", selector],
        ["t", String(Math.floor(this.#options.clock.now() / 1000))],
      ],
      signed: this.#signed,
      bodyHash,
    } as const;
    const unsigned = unsignedField(facts);
    const text = this.#signed.text + canonicalText(unsigned);
    return withSignature(unsigned, await key.sign(Buffer.from(text, "latin1")));
  }
}
