import { createHash, type Hash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { encodeText } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Envelope, Origin } from "../mail/envelope.ts";
import { addressLiteral, formatReceived } from "../mail/received.ts";
import { formatReply, reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import { parseTraceparent } from "../observe/traces.ts";
import type { AliasMap } from "../policy/aliases.ts";
import type { ServerPolicy } from "../reception/policy.ts";
import type { BatchMessage, BatchSink, MessageBatch } from "./batch_sink.ts";
import { copyMessage } from "./copy_message.ts";
import { factsOf, HTTP_LISTENER, judgeEnvelope } from "./judge.ts";
import type { KnownRequest, RequestKeys } from "./request_keys.ts";
import type {
  BatchResult,
  BatchSubmission,
  Submission,
  SubmissionFailure,
  SubmissionResult,
  SubmittedMessage,
  Submitter,
} from "./submission.ts";

/** So many of the largest messages may be in one request; what messages share counts once. */
const BATCH_MESSAGES = 4;
/** Takes the place of the largest message where none is too large. */
const UNLIMITED_MESSAGE_BYTES = 64 * 1024 * 1024;
const TOO_MUCH = reply(552, "5.3.4", "The messages of this request are larger than allowed");

/** Limits that a reload may change. */
export interface SubmitterLimits {
  readonly hostname: string;
  /** Octets of a message; 0 for no limit. */
  readonly messageBytes: number;
  readonly recipients: number;
  readonly hops: number;
  /** How long a message may be held at the most. */
  readonly maxHoldMs: number;
}

export interface SubmitterOptions {
  readonly sink: BatchSink;
  /** The rules in force. */
  readonly policy: () => ServerPolicy;
  /** The aliases in force; null where there are none. */
  readonly aliases: () => AliasMap | null;
  readonly limits: () => SubmitterLimits;
  readonly keys: RequestKeys;
  readonly clock: Clock;
  readonly events: EventSink;
}

/**
 * The way into the queue for messages that come by HTTP: the same rules, the same aliases, the
 * same intake and the same commit as for those that come by SMTP.
 */
export class MessageSubmitter {
  readonly #options: SubmitterOptions;
  /** Names of requests that are being worked on. */
  readonly #underWay = new Set<string>();

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  /** The limits in force. */
  get limits(): SubmitterLimits {
    return this.#options.limits();
  }

  /** Hands in a message. When it resolves with `queued` the message is on disk. */
  async submit(
    { by, key, fingerprint, traceparent, ...message }: Submission,
  ): Promise<SubmissionResult> {
    const result = await this.submitAll({
      ...{ by, messages: [message] },
      ...(key === undefined ? {} : { key }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(traceparent === undefined ? {} : { traceparent }),
    });
    if (result.kind !== "queued") return result;
    const [id = ""] = result.ids;
    return { kind: "queued", id, repeated: result.repeated };
  }

  /** Hands in messages that belong together. `queued` means that all of them are on disk. */
  async submitAll(request: BatchSubmission): Promise<BatchResult> {
    const { by, key } = request;
    if (key === undefined) return await this.#submit(request, null);
    // Requests of one name of one submitter; others may use the same name.
    const name = `${by.identity ?? by.user ?? ""}\n${key}`;
    if (this.#underWay.has(name)) return { kind: "conflict", reason: "under_way" };
    this.#underWay.add(name);
    try {
      return await this.#submit(request, name);
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #submit(request: BatchSubmission, name: string | null): Promise<BatchResult> {
    const envelopes = await this.#judge(request);
    if (!Array.isArray(envelopes)) return envelopes;
    const batch = this.#options.sink.beginBatch(envelopes.length);
    const hash = createHash("sha256");
    let written: readonly Written[] | SubmissionFailure;
    try {
      written = await this.#write(request, { envelopes, batch, hash });
    } catch (error) {
      await batch.abort(); // The client went away before the end: nothing was accepted.
      throw error;
    }
    if ("kind" in written) {
      await batch.abort();
      return written;
    }
    return await this.#commit(written, { request, batch, hash, name });
  }

  /** What MAIL and RCPT would have come to, for all messages. */
  async #judge({ by, messages }: BatchSubmission): Promise<Envelope[] | SubmissionFailure> {
    const { policy, aliases, clock } = this.#options;
    const { recipients, maxHoldMs } = this.limits;
    const limits = { recipients, maxHoldMs, nowMs: clock.now() };
    const rules = { policy: policy(), aliases: aliases(), ...limits };
    const envelopes: Envelope[] = [];
    for (const [index, message] of messages.entries()) {
      const judged = await judgeEnvelope(message, { by, rules });
      if (judged.kind === "refused") return { ...judged, index };
      envelopes.push(judged.envelope);
    }
    return envelopes;
  }

  async #write(
    { messages, by, traceparent }: BatchSubmission,
    { envelopes, batch, hash }: { envelopes: readonly Envelope[]; batch: MessageBatch; hash: Hash },
  ): Promise<Written[] | SubmissionFailure> {
    const limits = this.limits;
    const origin = originOf(by, limits.hostname);
    const facts = factsOf(by);
    const policy = this.#options.policy();
    const written: Written[] = [];
    for (const [index, envelope] of envelopes.entries()) {
      const writer = batch.begin(this.#incoming({ envelope, origin, traceparent }));
      const octets = messages[index]?.message ?? new Uint8Array(0);
      const copied = await copyMessage(octets, {
        ...{ messageBytes: limits.messageBytes, writer, hash },
        judge: (request) =>
          policy.content(facts, { ...request, maxHops: limits.hops, hostname: limits.hostname }),
        hidesBcc: policy.hidesBcc(facts),
      });
      if (copied.kind === "refused") {
        this.#refused({ id: writer.id, envelope, origin, reply: formatReply(copied.reply) });
        return { ...copied, index };
      }
      await writer.finish(copied.facts);
      await setImmediate(); // Messages of the same content wait for nothing; others have their turn.
      if (batch.storedBytes > budgetOf(limits)) {
        const kind = "refused";
        this.#refused({ id: writer.id, envelope, origin, reply: formatReply(TOO_MUCH) });
        return { kind, reply: TOO_MUCH, index };
      }
      written.push({ id: writer.id, envelope, sizeBytes: copied.facts.sizeBytes });
    }
    return written;
  }

  #incoming({ envelope, origin, traceparent = "" }: {
    envelope: Envelope;
    origin: Origin;
    traceparent: string | undefined;
  }): BatchMessage {
    const { recipients } = envelope;
    const only = recipients.length === 1 ? recipients[0]?.forwardPath : undefined;
    const trace = {
      ...{ origin, by: this.limits.hostname, atMs: this.#options.clock.now() },
      ...(only === undefined ? {} : { forwardPath: only }),
    };
    return {
      ...{ envelope, origin },
      head: (id) => encodeText(formatReceived({ ...trace, id })),
      ...(parseTraceparent(traceparent) === null ? {} : { traceparent }),
    };
  }

  async #commit(
    written: readonly Written[],
    { request, batch, hash, name }: {
      request: BatchSubmission;
      batch: MessageBatch;
      hash: Hash;
      name: string | null;
    },
  ): Promise<BatchResult> {
    const ids = written.map(({ id }) => id);
    const known = { fingerprint: fingerprintOf(request, hash), messageIds: ids };
    const earlier = name === null ? null : await this.#claim(name, { known, batch });
    if (earlier !== null) return earlier;
    const result = await batch.commit(); // The commit point.
    if (result.kind === "failed") return result;
    if (name !== null) await this.#confirm(name, known);
    for (const one of written) this.#accepted(one, request.by);
    return { kind: "queued", ids, repeated: false };
  }

  /** Null when this request is the first of its name; else its messages are forgotten. */
  async #claim(
    name: string,
    { known, batch }: { known: KnownRequest; batch: MessageBatch },
  ): Promise<BatchResult | null> {
    let isFirst = false;
    try {
      const verdict = await this.#options.keys.claim(name, known);
      isFirst = verdict.kind === "first";
      if (verdict.kind === "first") return null;
      if (verdict.kind === "other_message") return { kind: "conflict", reason: "other_message" };
      return { kind: "queued", ids: verdict.messageIds, repeated: true };
    } finally {
      if (!isFirst) await batch.abort();
    }
  }

  /** The messages are stored whatever becomes of this. */
  async #confirm(name: string, known: KnownRequest): Promise<void> {
    try {
      await this.#options.keys.confirm(name, known);
    } catch (cause) {
      const message = "Cannot store that a request was completed";
      this.#options.events({
        type: "trouble",
        level: "warning",
        component: "http",
        message,
        cause,
      });
    }
  }

  #accepted({ id, envelope, sizeBytes }: Written, { clientAddress }: Submitter): void {
    this.#options.events({
      ...{ type: "accepted", messageId: id, reversePath: envelope.reversePath },
      ...{ listener: HTTP_LISTENER, clientAddress, sizeBytes },
      recipients: envelope.recipients.length,
    });
  }

  #refused({ id, envelope, origin, reply }: {
    id: string;
    envelope: Envelope;
    origin: Origin;
    reply: string;
  }): void {
    const { clientAddress } = origin;
    this.#options.events({
      ...{ type: "refused", messageId: id, reversePath: envelope.reversePath },
      ...{ listener: HTTP_LISTENER, clientAddress, reply },
    });
  }
}

/** What the messages of one request may take of the disk. */
function budgetOf({ messageBytes }: SubmitterLimits): number {
  return BATCH_MESSAGES * (messageBytes > 0 ? messageBytes : UNLIMITED_MESSAGE_BYTES);
}

/** A message whose octets are with the batch. */
interface Written {
  readonly id: string;
  readonly envelope: Envelope;
  readonly sizeBytes: number;
}

/** What two requests of one name must have in common. */
function fingerprintOf({ messages, fingerprint }: BatchSubmission, hash: Hash): string {
  const content = fingerprint ?? hash.digest("hex");
  const envelopes = messages.map(({ from, to }: SubmittedMessage) => [from, to]);
  return createHash("sha256").update(JSON.stringify([envelopes, content])).digest("hex");
}

/** HTTP clients have no name, so an address literal stands for one (RFC 5321 4.1.3). */
function originOf({ user, clientAddress }: Submitter, hostname: string): Origin {
  const helo = clientAddress === "" ? hostname : addressLiteral(clientAddress);
  return {
    ...{ listener: HTTP_LISTENER, clientAddress, clientPort: 0, helo, protocol: "HTTP" },
    ...(user === null ? {} : { user }),
  };
}
