import { Buffer } from "node:buffer";
import { headerSection } from "../mail/headers.ts";
import type { MessageHeader } from "./header_canon.ts";

/** A message with a longer header section is not signed. */
const HEADER_LIMIT_BYTES = 256 * 1024;

/** What is done with one message, once its header section is known. */
export interface SigningWork {
  /** The next octets of the body; they may change afterwards. */
  write(chunk: Uint8Array): void;
  /** Fields that go in front of the message, each with its line break; empty for none. */
  finish(): Promise<string>;
}

/** Chooses what is done with a message; null for nothing. */
export type WorkChoice = (header: MessageHeader) => SigningWork | null;

/** Takes the octets of one message as they pass, and makes the fields that sign it. */
export class SigningStream implements SigningWork {
  readonly #choose: WorkChoice;
  /** Octets of the header section; null when it is complete. */
  #head: Uint8Array[] | null = [];
  #headBytes = 0;
  #work: SigningWork | null = null;

  constructor(choose: WorkChoice) {
    this.#choose = choose;
  }

  write(chunk: Uint8Array): void {
    if (this.#head === null) {
      this.#work?.write(chunk);
      return;
    }
    this.#head.push(chunk.slice());
    this.#headBytes += chunk.length;
    if (this.#headBytes > HEADER_LIMIT_BYTES || endsSection(this.#head)) this.#open(this.#head);
  }

  async finish(): Promise<string> {
    if (this.#head !== null) this.#open(this.#head);
    return await this.#work?.finish() ?? "";
  }

  #open(head: readonly Uint8Array[]): void {
    this.#head = null;
    const bytes = Buffer.concat(head);
    const section = headerSection(bytes, { limitBytes: HEADER_LIMIT_BYTES });
    if (!section.complete) return;
    const { fields, endOffset, bodyOffset } = section;
    this.#work = this.#choose({ bytes: bytes.subarray(0, endOffset), fields });
    this.#work?.write(bytes.subarray(bodyOffset));
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
