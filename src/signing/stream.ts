import { HeaderReader, type MessageHeader } from "../mail/headers.ts";

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
  readonly #reader = new HeaderReader();
  #work: SigningWork | null = null;

  constructor(choose: WorkChoice) {
    this.#choose = choose;
  }

  write(chunk: Uint8Array): void {
    if (this.#reader.header === null) this.#open(this.#reader.take(chunk));
    else this.#work?.write(chunk);
  }

  async finish(): Promise<string> {
    if (this.#reader.header === null) this.#open(this.#reader.end());
    return await this.#work?.finish() ?? "";
  }

  /** A message with a header section beyond all measure is not signed. */
  #open(body: Uint8Array): void {
    const { header } = this.#reader;
    if (header === null || !header.complete) return;
    this.#work = this.#choose(header);
    this.#work?.write(body);
  }
}
