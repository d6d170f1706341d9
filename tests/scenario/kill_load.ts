/** Senders for the kill test, and the books of what they sent and what arrived. */
import type { Random } from "../../src/base/random.ts";
import { PlainClient } from "../support/plain_client.ts";
import type { RecordedMessage } from "../support/recording_sink.ts";
import { messageOfSize } from "../support/sample_messages.ts";

/** Who got what in which life of the relay. Each recipient address is used for one message. */
export class KillLedger {
  /** The life of the relay that is going on. */
  round = 0;
  /** Messages that got 250. */
  accepted = 0;
  /** Recipients whose message got 250 and did not arrive yet. */
  readonly missing = new Set<string>();
  readonly #sent = new Map<string, Uint8Array>();
  readonly #deliveredIn = new Map<string, number[]>();

  /** A message is about to be offered. */
  noteSending(recipient: string, data: Uint8Array): void {
    this.#sent.set(recipient, data);
  }

  /** A message got its 250; it may have arrived already. */
  noteAccepted(recipient: string): void {
    this.accepted += 1;
    if (!this.#deliveredIn.has(recipient)) this.missing.add(recipient);
  }

  /** A message arrived. Returns null, which accepts it. */
  noteDelivery({ recipients }: RecordedMessage): null {
    for (const recipient of recipients) {
      const rounds = this.#deliveredIn.get(recipient) ?? [];
      rounds.push(this.round);
      this.#deliveredIn.set(recipient, rounds);
      this.missing.delete(recipient);
    }
    return null;
  }

  /** The octets that were offered for this recipient. */
  sentTo(recipient: string): Uint8Array {
    const data = this.#sent.get(recipient);
    if (data === undefined) throw new Error(`nothing was sent to ${recipient}`);
    return data;
  }

  /** Deliveries after the first, and how many of them were in the same life as another. */
  duplicates(): { duplicates: number; sameLife: number } {
    let duplicates = 0;
    let sameLife = 0;
    for (const rounds of this.#deliveredIn.values()) {
      duplicates += rounds.length - 1;
      sameLife += rounds.length - new Set(rounds).size;
    }
    return { duplicates, sameLife };
  }
}

/** One of the parallel senders. */
export class Sender {
  readonly #number: number;
  readonly #ledger: KillLedger;
  #messages = 0;

  constructor({ number, ledger }: { number: number; ledger: KillLedger }) {
    this.#number = number;
    this.#ledger = ledger;
  }

  /** Sends one message after the other until the relay is gone. */
  async run({ port, random }: { port: number; random: Random }): Promise<void> {
    try {
      using client = await PlainClient.greet(port);
      for (;;) await this.#sendOne({ client, random });
    } catch {
      // The relay was killed: whatever has no 250 is not in the books as accepted.
    }
  }

  async #sendOne({ client, random }: { client: PlainClient; random: Random }): Promise<void> {
    const name = `m${this.#messages++}-${this.#number}`;
    const sizeBytes = random.float() < 0.1 ? 20_000 + random.float() * 80_000 : 2000;
    const data = messageOfSize(sizeBytes, name);
    const recipient = `${name}@d${this.#number % 3}.test`;
    this.#ledger.noteSending(recipient, data);
    const { reply } = await client.send({ from: "sender@source.test", to: [recipient], data });
    if (reply.code === 250) this.#ledger.noteAccepted(recipient);
  }
}
