import { encodeText } from "../../src/base/bytes.ts";
import type { BodyFacts } from "../../src/mail/envelope.ts";
import type { DeliveryJob } from "../../src/delivery/transport.ts";
import type { MessageRecord, RecipientRecord } from "../../src/queue/store.ts";

/** What a sample job differs in. */
export interface SampleJob {
  /** The message; binary as octets, 8-bit text as a string. */
  readonly body?: string | Uint8Array;
  /** Hands the message over as a stream of chunks instead of in memory. */
  readonly streamChunkBytes?: number;
  readonly recipients?: readonly string[];
  /** Instead of `recipients`: as the queue has them. */
  readonly records?: readonly RecipientRecord[];
  readonly message?: Partial<MessageRecord>;
}

/** A delivery job as the scheduler makes them. */
export function sampleJob(sample: SampleJob = {}): DeliveryJob {
  const { body = "Subject: test\r\n\r\nHello\r\n", recipients = ["rcpt@dest.example"] } = sample;
  const bytes = typeof body === "string" ? encodeText(body) : body;
  const chunkBytes = sample.streamChunkBytes;
  return {
    message: sampleMessage(bytes, sample.message),
    recipients: sample.records ?? recipients.map((forwardPath, index) => ({
      index,
      forwardPath,
      domain: domainOf(forwardPath),
      state: "queued",
      attempts: 0,
      nextAttemptAtMs: 0,
      delayNotified: false,
      lastReply: "",
    })),
    domain: domainOf(recipients[0] ?? ""),
    body: {
      sizeBytes: bytes.length,
      bytes: chunkBytes === undefined ? bytes : null,
      stream: () => chunksOf(bytes, chunkBytes ?? bytes.length),
    },
  };
}

/** The facts of a message, as the server would find them. */
export function factsOf(bytes: Uint8Array): BodyFacts {
  const lines = new TextDecoder("latin1").decode(bytes).split("\r\n");
  return {
    sizeBytes: bytes.length,
    eightBit: bytes.some((octet) => octet > 127),
    dotLines: lines.filter((line) => line.startsWith(".")).length,
    longestLineBytes: lines.reduce((longest, { length }) => Math.max(longest, length), 0),
    lineOriented: lines.at(-1) === "",
  };
}

function sampleMessage(bytes: Uint8Array, overrides: Partial<MessageRecord> = {}): MessageRecord {
  return {
    id: "01J00000000000AA",
    receivedAtMs: 0,
    reversePath: "sender@origin.example",
    body: "7BIT",
    smtpUtf8: false,
    origin: {
      listener: "test",
      clientAddress: "127.0.0.1",
      clientPort: 1,
      helo: "client.example",
      protocol: "ESMTP",
    },
    facts: factsOf(bytes),
    summary: { subject: "", from: "", messageId: "" },
    expiresAtMs: 1,
    ...overrides,
  };
}

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield await Promise.resolve(bytes.subarray(offset, offset + chunkBytes));
  }
}

function domainOf(path: string): string {
  return path.slice(path.lastIndexOf("@") + 1);
}
