/** Parallel senders, most of them polite. */
import type { Random } from "../../../src/base/random.ts";
import { dotStuffed, PlainClient, type PlainReply } from "../../support/plain_client.ts";
import { messageOfSize } from "../../support/sample_messages.ts";
import { type Books, type OfferedMessage, recipientOf, senderOf } from "./books.ts";
import { pick } from "./mishaps.ts";

/** Where senders find the relay, which may be another one after a crash. */
export interface Target {
  readonly port: number;
  readonly caCerts: readonly string[];
}

/** What a sender needs. */
export interface SenderOptions {
  readonly number: number;
  readonly books: Books;
  readonly random: Random;
  readonly domains: readonly string[];
  /** Asked for at each connection. */
  readonly target: () => Target;
  readonly usesTls: boolean;
}

const HOLD_SECONDS = 86_400;
const MAX_PAUSE_MS = 60;

/** One of the senders. */
export class StormSender {
  readonly #options: SenderOptions;
  #messages = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Sends one message after the other until told to stop, in sessions of some messages. */
  async run(signal: AbortSignal): Promise<void> {
    const { random } = this.#options;
    while (!signal.aborted) {
      try {
        using client = await this.#connect();
        for (let left = 1 + random.float() * 30; left > 0 && !signal.aborted; left--) {
          if (!await this.#sendOne(client)) break;
          await pause(random.float() * MAX_PAUSE_MS);
        }
      } catch {
        await pause(50); // the relay is gone for a moment
      }
    }
  }

  async #connect(): Promise<PlainClient> {
    const { target, usesTls } = this.#options;
    const { port, caCerts } = target();
    return usesTls
      ? await PlainClient.greetInTls(port, { hostname: "relay.test", caCerts })
      : await PlainClient.greet(port);
  }

  #nextMessage(): OfferedMessage {
    const { random, number, domains } = this.#options;
    const name = `m${this.#messages++}-${number}`;
    const count = random.float() < 0.5 ? 1 : 2 + Math.floor(random.float() * 6);
    const first = pick(domains, random);
    const recipients = Array.from({ length: count }, (_, index) => ({
      address: recipientOf(name, index, random.float() < 0.5 ? first : pick(domains, random)),
      isSilent: random.float() < 0.05,
    }));
    return {
      ...{ name, recipients },
      from: random.float() < 0.05 ? "" : senderOf(recipientOf(name, 0, first)),
      sizeBytes: Math.floor(
        random.float() < 0.03 ? 300_000 * random.float() : 500 + 3000 * random.float(),
      ),
      isHeld: random.float() < 0.02,
    };
  }

  /** Sends a message, or breaks off; false when the session is over. */
  async #sendOne(client: PlainClient): Promise<boolean> {
    const { books, random } = this.#options;
    const message = this.#nextMessage();
    books.noteOffer(message);
    await sendEnvelope(client, message);
    const data = dotStuffed(messageOfSize(message.sizeBytes, message.name));
    const temper = message.isHeld ? 1 : random.float();
    if (temper < 0.02) {
      await client.write(data.subarray(0, data.length / 2));
      return false;
    }
    await client.write(data);
    books.noteAnswer(message.name, { kind: "unknown" });
    await client.write(new TextEncoder().encode(".\r\n"));
    if (temper < 0.04) return false; // leaves without having heard the answer
    const reply = await client.readReply();
    books.noteAnswer(message.name, answerOf(reply));
    return true;
  }
}

async function sendEnvelope(client: PlainClient, message: OfferedMessage): Promise<void> {
  const hold = message.isHeld ? ` HOLDFOR=${HOLD_SECONDS}` : "";
  expect(await client.command(`MAIL FROM:<${message.from}>${hold}`), 250);
  for (const { address, isSilent } of message.recipients) {
    expect(await client.command(`RCPT TO:<${address}>${isSilent ? " NOTIFY=NEVER" : ""}`), 250);
  }
  expect(await client.command("DATA"), 354);
}

function expect(reply: PlainReply, code: number): void {
  if (reply.code !== code) throw new Error(`${reply.code} ${reply.lines.join(" ")}`);
}

function answerOf({ code, lines }: PlainReply) {
  const id = /queued as (\S+)/.exec(lines[0] ?? "")?.[1];
  if (code !== 250 || id === undefined) return { kind: "refused" } as const;
  return { kind: "accepted", id } as const;
}

/** The pace of a sender. */
function pause(pauseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs));
}
