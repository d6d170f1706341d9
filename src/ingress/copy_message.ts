import type { Hash } from "node:crypto";
import { BodyScan } from "../mail/body_scan.ts";
import type { BodyFacts } from "../mail/envelope.ts";
import { inOneForm, withoutBcc } from "../mail/header_form.ts";
import { HeaderReader } from "../mail/headers.ts";
import { type Reply, reply } from "../mail/reply.ts";
import type { AuthorDecision } from "../policy/authors.ts";
import type { ContentRequest } from "../reception/facts.ts";
import type { PartWriter } from "./batch_sink.ts";
import type { SubmittedMessage } from "./submission.ts";

const TOO_LARGE = reply(552, "5.3.4", "Message is larger than allowed");
const VIOLATIONS = {
  bare_cr: reply(554, "5.6.0", "Message has CR without LF; lines end with CRLF"),
  nul: reply(554, "5.6.0", "Message has a NUL octet"),
} as const;

/** Where the octets go, and what they may be. */
export interface CopyTarget {
  readonly writer: PartWriter;
  /** Takes them, too. */
  readonly hash: Hash;
  /** The checks of the content. */
  readonly judge: (request: Omit<ContentRequest, "maxHops" | "hostname">) => AuthorDecision;
  /** Octets of a message; 0 for no limit. */
  readonly messageBytes: number;
  /** Whether fields go that name recipients whom the others shall not see. */
  readonly hidesBcc: boolean;
}

/** What was learnt of the octets, or why they are refused. */
export type Copied =
  | { readonly kind: "copied"; readonly facts: BodyFacts }
  | { readonly kind: "refused"; readonly reply: Reply };

/** Passes the octets of a message on, its lines ended by CRLF. */
export async function copyMessage(
  message: SubmittedMessage["message"],
  target: CopyTarget,
): Promise<Copied> {
  const copy = new Copy(target);
  for await (const chunk of message instanceof Uint8Array ? [message] : message) {
    const refusal = await copy.take(chunk);
    if (refusal !== null) return { kind: "refused", reply: refusal };
  }
  const refusal = await copy.end();
  return refusal === null
    ? { kind: "copied", facts: copy.facts }
    : { kind: "refused", reply: refusal };
}

class Copy {
  readonly #target: CopyTarget;
  readonly #scan = new BodyScan();
  readonly #header = new HeaderReader();
  /** Octets that the header section has more in the form in which it is stored. */
  #addedBytes = 0;

  constructor(target: CopyTarget) {
    this.#target = target;
  }

  get facts(): BodyFacts {
    const { facts } = this.#scan;
    return { ...facts, sizeBytes: facts.sizeBytes + this.#addedBytes };
  }

  /** Null when all is well; else why the message is refused. */
  async take(chunk: Uint8Array): Promise<Reply | null> {
    return await this.#pass(this.#scan.take(chunk)) ?? this.#judge();
  }

  async end(): Promise<Reply | null> {
    const refusal = await this.#pass(this.#scan.end()) ?? this.#judge();
    if (refusal !== null || this.#header.header !== null) return refusal;
    const rest = this.#header.end();
    return await this.#passHeader(rest) ?? await this.#write(rest);
  }

  async #pass(pieces: readonly Uint8Array[]): Promise<Reply | null> {
    for (const piece of pieces) {
      this.#target.hash.update(piece);
      const isBehind = this.#header.header !== null;
      const rest = this.#header.take(piece);
      const refusal = isBehind ? null : await this.#passHeader(rest);
      if (refusal !== null) return refusal;
      await this.#write(rest);
    }
    return null;
  }

  #judge(): Reply | null {
    const { violation, sizeBytes } = this.#scan;
    const { messageBytes } = this.#target;
    if (violation !== null) return VIOLATIONS[violation];
    return messageBytes > 0 && sizeBytes > messageBytes ? TOO_LARGE : null;
  }

  /** Judges the header section once it is there, and hands it on. */
  async #passHeader(rest: Uint8Array): Promise<Reply | null> {
    const read = this.#header.header;
    if (read === null) return null;
    const formed = inOneForm(read, { hasBody: rest.length > 0 });
    const header = this.#target.hidesBcc ? withoutBcc(formed) : formed;
    this.#addedBytes = header.bytes.length - read.bytes.length;
    const refusal = this.#judge();
    if (refusal !== null) return refusal;
    const received = { header: read, hasBody: rest.length > 0 };
    const decision = this.#target.judge({ header, received });
    if (decision.kind === "refuse") return decision.reply;
    const { mayAuthor } = decision;
    await this.#target.writer.write(header.bytes, { header, mayAuthor });
    return null;
  }

  async #write(piece: Uint8Array): Promise<null> {
    if (piece.length > 0) {
      const pending = this.#target.writer.write(piece);
      if (pending instanceof Promise) await pending;
    }
    return null;
  }
}
