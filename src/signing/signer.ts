import { createHash, type Hash } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import { Gate } from "../base/gate.ts";
import { type HeaderSection, headerSection } from "../mail/headers.ts";
import { authorDomain } from "./author.ts";
import { RelaxedBody } from "./body_canon.ts";
import { type DkimKey, keysFor } from "./keys.ts";
import { fieldsToSign, signedText, unsignedField, withSignature } from "./signature.ts";

/** A message with a longer header section is not signed. */
const HEADER_LIMIT_BYTES = 256 * 1024;

/** What signers share. */
export interface SignerOptions {
  readonly keys: readonly DkimKey[];
  readonly clock: Clock;
  /** Signatures made at once, so that the processor has time for everything else. */
  readonly parallel: number;
}

/** Signs messages with DKIM (RFC 6376). */
export class DkimSigner {
  readonly #options: SignerOptions;
  readonly #gate: Gate;

  constructor(options: SignerOptions) {
    this.#options = options;
    this.#gate = new Gate(options.parallel);
  }

  /** Starts on a message. */
  begin(): DkimStream {
    return new DkimStream(this.#options, this.#gate);
  }
}

/** Takes the octets of one message as they pass and signs them in the end. */
export class DkimStream {
  readonly #options: SignerOptions;
  readonly #gate: Gate;
  /** Octets of the header section, until it is complete. */
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #header: { readonly bytes: Uint8Array; readonly section: HeaderSection } | null = null;
  #keys: readonly DkimKey[] | null = null;
  readonly #hash: Hash = createHash("sha256");
  readonly #body = new RelaxedBody((piece) => this.#update(piece));

  constructor(options: SignerOptions, gate: Gate) {
    this.#options = options;
    this.#gate = gate;
  }

  /** The next octets; they may change afterwards. */
  write(chunk: Uint8Array): void {
    if (this.#keys !== null) {
      if (this.#keys.length > 0) this.#body.write(chunk);
      return;
    }
    this.#head.push(chunk.slice());
    this.#headBytes += chunk.length;
    if (this.#headBytes > HEADER_LIMIT_BYTES || endsSection(this.#head)) this.#openBody();
  }

  /** The signature fields, each with its line break; empty when nobody signs for the author. */
  async finish(): Promise<string> {
    if (this.#keys === null) this.#openBody();
    const header = this.#header;
    const keys = this.#keys ?? [];
    if (header === null || keys.length === 0) return "";
    this.#body.end();
    const bodyHash = this.#hash.digest("base64");
    const signatures = await Promise.all(
      keys.map((key) => this.#gate.run(() => this.#sign(key, { ...header, bodyHash }))),
    );
    return signatures.join("");
  }

  #openBody(): void {
    const bytes = Buffer.concat(this.#head);
    this.#head = [];
    const section = headerSection(bytes, { limitBytes: HEADER_LIMIT_BYTES });
    const domain = section.complete ? authorDomain(bytes, section) : null;
    this.#keys = domain === null ? [] : keysFor(this.#options.keys, domain);
    if (this.#keys.length === 0) return;
    this.#header = { bytes: bytes.subarray(0, section.endOffset), section };
    this.#body.write(bytes.subarray(section.bodyOffset));
  }

  async #sign(
    { domain, selector, key }: DkimKey,
    { bytes, section, bodyHash }: {
      bytes: Uint8Array;
      section: HeaderSection;
      bodyHash: string;
    },
  ): Promise<string> {
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
      signed: fieldsToSign(section.fields),
      bodyHash,
    } as const;
    const unsigned = unsignedField(facts);
    const text = Buffer.from(signedText(bytes, { facts, unsigned }), "latin1");
    return withSignature(unsigned, await key.sign(Uint8Array.from(text)));
  }

  #update(piece: string | Uint8Array): void {
    if (typeof piece === "string") this.#hash.update(piece, "latin1");
    else this.#hash.update(piece);
  }
}

/** Whether the empty line after the header section may be among the octets. */
function endsSection(chunks: readonly Uint8Array[]): boolean {
  const last = chunks.at(-1);
  if (last === undefined) return false;
  if (hasEmptyLine(last)) return true;
  const before = chunks.at(-2);
  if (before === undefined) return false;
  return hasEmptyLine(Buffer.concat([before.subarray(-3), last.subarray(0, 3)]));
}

function hasEmptyLine({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  const octets = Buffer.from(buffer, byteOffset, byteLength);
  return octets.indexOf("\r\n\r\n") >= 0 || octets.indexOf("\n\n") >= 0;
}
