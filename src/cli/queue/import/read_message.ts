import { createHash, type Hash } from "node:crypto";
import { concatBytes } from "../../../base/bytes.ts";
import { BodyScan } from "../../../mail/body_scan.ts";
import type { BodyFacts } from "../../../mail/envelope.ts";
import { messageInOneForm } from "../../../mail/header_form.ts";
import { HEADER_SECTION_LIMIT_BYTES, headerSection } from "../../../mail/headers.ts";
import type { SigningStream } from "../../../queue/intake.ts";
import type { BodyPlace } from "../../../queue/store.ts";
import { BodySink } from "./body_sink.ts";
import {
  envelopeOf,
  type EnvelopeWishes,
  type HeaderEnvelope,
  withoutMailboxFields,
} from "./header_envelope.ts";
import type { MailSource, SourceMessage } from "./source.ts";

/** A message whose octets have been read. */
export interface ReadMessage {
  readonly kind: "read";
  readonly facts: BodyFacts;
  /** The first octets, the header section among them. */
  readonly start: Uint8Array;
  /** From the header section; null when the message came with an envelope. */
  readonly envelope: HeaderEnvelope | null;
  /** SHA-256 of the octets as the source has them, in hex. */
  readonly sha256: string;
  /** Signatures that go in front; empty for none. */
  readonly prefix: string;
  /** Puts the octets where the store takes them from. */
  finish(): Promise<BodyPlace>;
  discard(): Promise<void>;
}

export type ReadResult = ReadMessage | { readonly kind: "unusable"; readonly reason: string };

/** What reading needs. */
export interface ReadOptions {
  readonly format: MailSource["format"];
  readonly wishes: EnvelopeWishes;
  readonly sink: () => BodySink;
  /** Starts to sign a message that came without an envelope; null for one that is not signed. */
  readonly sign: () => SigningStream | null;
}

const VIOLATIONS = {
  nul: "it contains NUL octets, which mail cannot carry",
  bare_cr: "it has carriage returns that end no line",
} as const;

/**
 * Reads the octets of a message, in memory or into a spool file, and what is known of them.
 *
 * @throws StoreError as spool files do, and errors of the file system.
 */
export async function readMessage(
  item: SourceMessage,
  options: ReadOptions,
): Promise<ReadResult> {
  const sink = options.sink();
  try {
    const result = await new Reader(item, { ...options, sink }).read();
    if (result.kind === "unusable") await sink.discard();
    return result;
  } catch (error) {
    await sink.discard();
    throw error;
  }
}

class Reader {
  readonly #item: SourceMessage;
  readonly #options: Omit<ReadOptions, "sink"> & { readonly sink: BodySink };
  readonly #scan = new BodyScan();
  readonly #hash: Hash = createHash("sha256");
  readonly #signature: SigningStream | null;
  #rawBytes = 0;
  /** The first octets until the header section is complete. */
  #start: Uint8Array = new Uint8Array();
  #envelope: HeaderEnvelope | null = null;
  #hasStarted = false;

  constructor(
    item: SourceMessage,
    options: Omit<ReadOptions, "sink"> & { readonly sink: BodySink },
  ) {
    this.#item = item;
    this.#options = options;
    this.#signature = item.exported === null ? options.sign() : null;
  }

  async read(): Promise<ReadResult> {
    for await (const chunk of this.#item.octets()) {
      this.#hash.update(chunk);
      this.#rawBytes += chunk.length;
      const reason = await this.#take(chunk);
      if (reason !== null) return { kind: "unusable", reason };
    }
    const reason = this.#rawBytes === 0 ? "it is empty" : await this.#end();
    if (reason !== null) return { kind: "unusable", reason };
    const { sink } = this.#options;
    return {
      ...{ kind: "read", facts: this.#facts(), start: this.#start, envelope: this.#envelope },
      sha256: this.#hash.digest("hex"),
      prefix: await this.#signature?.finish() ?? "",
      finish: () => sink.finish(),
      discard: () => sink.discard(),
    };
  }

  /** Null when all is well; else why the message cannot be used. */
  async #take(chunk: Uint8Array): Promise<string | null> {
    if (this.#hasStarted) return await this.#pass(chunk);
    this.#start = concatBytes([this.#start, chunk]);
    const { complete } = headerSection(this.#start);
    if (!complete && this.#start.length < HEADER_SECTION_LIMIT_BYTES) return null;
    return await this.#begin();
  }

  async #end(): Promise<string | null> {
    const reason = this.#hasStarted ? null : await this.#begin();
    if (reason !== null) return reason;
    if (!this.#isBinary) await this.#give(this.#scan.end());
    const { violation } = this.#scan;
    return violation === null || this.#isBinary ? null : VIOLATIONS[violation];
  }

  /** The header section is there: reads the envelope from it where there is none. */
  async #begin(): Promise<string | null> {
    this.#hasStarted = true;
    const { exported, reversePath: hint } = this.#item;
    if (exported !== null) return await this.#pass(this.#start);
    const { wishes, format } = this.#options;
    const section = headerSection(this.#start);
    if (section.fields.length === 0) return "it has no header section";
    const envelope = envelopeOf(this.#start, { section, hint, wishes });
    if (typeof envelope === "string") return envelope;
    this.#envelope = envelope;
    const message = withoutMailboxFields(this.#start, {
      section,
      isMbox: format.startsWith("mbox"),
      dropsBcc: wishes.usesAddressFields,
    });
    this.#start = messageInOneForm(message);
    return await this.#pass(this.#start);
  }

  async #pass(chunk: Uint8Array): Promise<null> {
    const pieces = this.#scan.take(chunk);
    await this.#give(this.#isBinary ? [chunk] : pieces);
    return null;
  }

  async #give(pieces: readonly Uint8Array[]): Promise<void> {
    if (pieces.length === 0) return;
    const octets = concatBytes(pieces);
    this.#signature?.write(octets);
    await this.#options.sink.write(octets);
  }

  /** BINARYMIME has no lines (RFC 3030 section 3), so nothing is made of its line ends. */
  get #isBinary(): boolean {
    return this.#item.exported?.body === "BINARYMIME";
  }

  #facts(): BodyFacts {
    const { facts } = this.#scan;
    if (!this.#isBinary) return facts;
    const isUnchanged = facts.sizeBytes === this.#rawBytes;
    return {
      ...facts,
      sizeBytes: this.#rawBytes,
      lineOriented: facts.lineOriented && isUnchanged,
    };
  }
}
