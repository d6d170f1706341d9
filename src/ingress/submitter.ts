import { createHash, type Hash } from "node:crypto";
import { encodeText } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { isAsciiText, type Mailbox, parseMailbox } from "../mail/address.ts";
import { BodyScan } from "../mail/body_scan.ts";
import type { Envelope, Origin, Recipient } from "../mail/envelope.ts";
import { formatReceived } from "../mail/received.ts";
import { formatReply, type Reply, reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import { decideUserSender } from "../policy/user_sender.ts";
import type { ServerPolicy, SessionFacts } from "../smtp/server/policy.ts";
import type { MessageSink, MessageWriter } from "../smtp/server/sink.ts";
import { HopCounter } from "../smtp/wire/hop_counter.ts";
import type { KeyVerdict, KnownRequest, RequestKeys } from "./request_keys.ts";
import type { Submission, SubmissionResult, Submitter } from "./submission.ts";

/** The name by which rules and routes know this way in. */
export const HTTP_LISTENER = "http";

/** Limits that a reload may change. */
export interface SubmitterLimits {
  readonly hostname: string;
  /** Octets of a message; 0 for no limit. */
  readonly messageBytes: number;
  readonly recipients: number;
  readonly hops: number;
}

export interface SubmitterOptions {
  readonly sink: MessageSink;
  /** The rules in force. */
  readonly policy: () => ServerPolicy;
  readonly limits: () => SubmitterLimits;
  readonly keys: RequestKeys;
  readonly clock: Clock;
  readonly events: EventSink;
}

const TOO_MANY = reply(452, "4.5.3", "Too many recipients");
const NOBODY = reply(554, "5.5.1", "No recipients");
const TOO_LARGE = reply(552, "5.3.4", "Message is larger than allowed");
const LOOP = reply(554, "5.4.6", "Routing loop detected");
const VIOLATIONS = {
  bare_cr: reply(554, "5.6.0", "Message has CR without LF; lines end with CRLF"),
  nul: reply(554, "5.6.0", "Message has a NUL octet"),
} as const;

type Judged<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "refused"; readonly reply: Reply };

/**
 * The way into the queue for messages that come by HTTP: the same rules, the same sink and the
 * same commit as for those that come by SMTP.
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
  async submit(submission: Submission): Promise<SubmissionResult> {
    const { by, key } = submission;
    if (key === undefined) return await this.#submit(submission, null);
    // Requests of one name of one submitter; others may use the same name.
    const name = `${by.user ?? ""}\n${key}`;
    if (this.#underWay.has(name)) return { kind: "conflict", reason: "under_way" };
    this.#underWay.add(name);
    try {
      return await this.#submit(submission, name);
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #submit(submission: Submission, name: string | null): Promise<SubmissionResult> {
    const judged = await this.#judge(submission);
    if (judged.kind === "refused") return judged;
    const envelope = judged.value;
    const { clock, sink } = this.#options;
    const { hostname } = this.limits;
    const origin = originOf(submission.by, hostname);
    const only = envelope.recipients.length === 1 ? envelope.recipients[0]?.forwardPath : undefined;
    const trace = {
      ...{ origin, by: hostname, atMs: clock.now() },
      ...(only === undefined ? {} : { forwardPath: only }),
    };
    const writer = sink.begin({
      ...{ envelope, origin },
      head: (id) => encodeText(formatReceived({ ...trace, id })),
    });
    return await this.#receive({ submission, envelope, origin, writer, name });
  }

  async #receive(incoming: Incoming): Promise<SubmissionResult> {
    const { submission: { message }, writer, origin, envelope } = incoming;
    const scan = new BodyScan();
    const hash = createHash("sha256");
    const limits = this.limits;
    let refusal: Reply | null;
    try {
      refusal = await copyMessage(message, { writer, scan, hash, limits });
    } catch (error) {
      await writer.abort(); // The client went away before the end: nothing was accepted.
      throw error;
    }
    if (refusal !== null) {
      await writer.abort();
      this.#options.events({
        ...{ type: "refused", messageId: writer.id, reversePath: envelope.reversePath },
        ...{ listener: HTTP_LISTENER, clientAddress: origin.clientAddress },
        reply: formatReply(refusal),
      });
      return { kind: "refused", reply: refusal };
    }
    return await this.#commit(incoming, { scan, hash });
  }

  async #commit(
    incoming: Incoming,
    { scan, hash }: { scan: BodyScan; hash: Hash },
  ): Promise<SubmissionResult> {
    const { writer, envelope, origin, name } = incoming;
    const request = { fingerprint: fingerprintOf(incoming, hash), messageId: writer.id };
    const earlier = name === null ? null : await this.#claim(name, { request, writer });
    if (earlier !== null) return earlier;
    const result = await writer.commit(scan.facts); // The commit point.
    if (result.kind === "failed") return result;
    if (name !== null) await this.#confirm(name, request);
    this.#options.events({
      ...{ type: "accepted", messageId: writer.id, reversePath: envelope.reversePath },
      ...{ listener: HTTP_LISTENER, clientAddress: origin.clientAddress },
      ...{ recipients: envelope.recipients.length, sizeBytes: scan.sizeBytes },
    });
    return { kind: "queued", id: writer.id, repeated: false };
  }

  /** Null when this request is the first of its name; else the message is forgotten. */
  async #claim(
    name: string,
    { request, writer }: { request: KnownRequest; writer: MessageWriter },
  ): Promise<SubmissionResult | null> {
    let verdict: KeyVerdict;
    try {
      verdict = await this.#options.keys.claim(name, request);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    if (verdict.kind === "first") return null;
    await writer.abort();
    if (verdict.kind === "other_message") return { kind: "conflict", reason: "other_message" };
    return { kind: "queued", id: verdict.messageId, repeated: true };
  }

  /** The message is stored whatever becomes of this. */
  async #confirm(name: string, request: KnownRequest): Promise<void> {
    try {
      await this.#options.keys.confirm(name, request);
    } catch (cause) {
      const message = "Cannot note that a request was carried out";
      this.#options.events({
        type: "trouble",
        level: "warning",
        component: "http",
        message,
        cause,
      });
    }
  }

  /** What MAIL and RCPT would have come to. */
  async #judge(submission: Submission): Promise<Judged<Envelope>> {
    const { by, from, to, holdUntilMs } = submission;
    const policy = this.#options.policy();
    const facts = factsOf(by);
    const sender = mailboxOf(from, "5.1.7");
    if (sender.kind === "refused") return sender;
    if (by.senders !== null) {
      const rules = { name: by.user ?? "", senders: by.senders };
      const decision = decideUserSender(rules, sender.value);
      if (decision.kind === "refuse") return { kind: "refused", reply: decision.reply };
    }
    const decision = await policy.mail(facts, { sender: sender.value });
    if (decision.kind === "refuse") return { kind: "refused", reply: decision.reply };
    const recipients = await this.#judgeRecipients(submission, { policy, facts });
    if (recipients.kind === "refused") return recipients;
    const envelope: Envelope = {
      ...{ reversePath: from, body: "8BITMIME", recipients: recipients.value },
      smtpUtf8: ![from, ...to].every(isAsciiText),
      ...(holdUntilMs === undefined ? {} : { extras: { holdUntilMs } }),
    };
    return { kind: "ok", value: envelope };
  }

  /** All or nobody: an answer by HTTP speaks of the whole message. */
  async #judgeRecipients(
    { from, to }: Submission,
    { policy, facts }: { policy: ServerPolicy; facts: SessionFacts },
  ): Promise<Judged<Recipient[]>> {
    const recipients = new Map<string, Recipient>();
    for (const text of to) {
      const mailbox = mailboxOf(text, "5.1.3");
      if (mailbox.kind === "refused") return mailbox;
      if (mailbox.value === null) continue;
      const { value: recipient } = mailbox;
      const key = `${recipient.localPart}@${recipient.domain}`;
      if (recipients.has(key)) continue;
      if (recipients.size >= this.limits.recipients) return { kind: "refused", reply: TOO_MANY };
      const decision = await policy.rcpt(facts, {
        ...{ recipient, routed: false, alias: false, reversePath: from },
        recipientCount: recipients.size,
      });
      if (decision.kind === "refuse") return { kind: "refused", reply: decision.reply };
      recipients.set(key, { forwardPath: recipient.text, domain: recipient.domain });
    }
    if (recipients.size === 0) return { kind: "refused", reply: NOBODY };
    return { kind: "ok", value: [...recipients.values()] };
  }
}

/** A message on its way to the sink. */
interface Incoming {
  readonly submission: Submission;
  readonly envelope: Envelope;
  readonly origin: Origin;
  readonly writer: MessageWriter;
  /** The request's name, with whose it is; null without one. */
  readonly name: string | null;
}

/** What two requests of one name must have in common. */
function fingerprintOf({ submission: { from, to, fingerprint } }: Incoming, hash: Hash): string {
  const content = fingerprint ?? hash.digest("hex");
  return createHash("sha256").update(JSON.stringify([from, to, content])).digest("hex");
}

/** Passes the octets on; returns why the message is refused, or null. */
async function copyMessage(
  message: Submission["message"],
  { writer, scan, hash, limits }: {
    writer: MessageWriter;
    scan: BodyScan;
    hash: Hash;
    limits: SubmitterLimits;
  },
): Promise<Reply | null> {
  const hops = new HopCounter();
  const pass = async (pieces: readonly Uint8Array[]): Promise<Reply | null> => {
    for (const piece of pieces) {
      hash.update(piece);
      hops.scan(piece);
      const pending = writer.write(piece);
      if (pending instanceof Promise) await pending;
    }
    if (scan.violation !== null) return VIOLATIONS[scan.violation];
    if (limits.messageBytes > 0 && scan.sizeBytes > limits.messageBytes) return TOO_LARGE;
    return hops.count > limits.hops ? LOOP : null; // RFC 5321 6.3
  };
  for await (const chunk of message instanceof Uint8Array ? [message] : message) {
    const refusal = await pass(scan.take(chunk));
    if (refusal !== null) return refusal;
  }
  return await pass(scan.end());
}

/** A mailbox, null for an empty text. */
function mailboxOf(text: string, enhanced: "5.1.3" | "5.1.7"): Judged<Mailbox | null> {
  if (text === "") return { kind: "ok", value: null };
  const parsed = parseMailbox(text);
  if (parsed.kind === "ok") return { kind: "ok", value: parsed.mailbox };
  const what = enhanced === "5.1.3" ? "recipient" : "sender";
  return {
    kind: "refused",
    reply: reply(501, enhanced, `Bad ${what} address: ${parsed.reason}`),
  };
}

function factsOf({ user, clientAddress }: Submitter): SessionFacts {
  return {
    ...{ sessionId: "", listener: HTTP_LISTENER, clientAddress, clientPort: 0 },
    ...{ helo: "", esmtp: true, tls: null, user },
  };
}

function originOf({ user, clientAddress }: Submitter, hostname: string): Origin {
  return {
    ...{ listener: HTTP_LISTENER, clientAddress, clientPort: 0, helo: hostname, protocol: "HTTP" },
    ...(user === null ? {} : { user }),
  };
}
