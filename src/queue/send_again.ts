import { Buffer } from "node:buffer";
import { concatBytes } from "../base/bytes.ts";
import { parseMailbox } from "../mail/address.ts";
import { bodyFacts } from "../mail/body_facts.ts";
import type { EnvelopeExtras, Origin } from "../mail/envelope.ts";
import { headerValues } from "../mail/header_values.ts";
import { messageInOneForm } from "../mail/header_form.ts";
import { readHeader } from "../mail/headers.ts";
import { summarize } from "../mail/summary.ts";
import type {
  BodyPlace,
  MessageDetail,
  MessageRecord,
  NewMessage,
  NewRecipient,
  QueueStore,
} from "./store.ts";

/** What is to be sent, and what is changed of it. */
export interface SendAgainRequest {
  /** Queue id of the message. */
  readonly id: string;
  /** Who asks for it, for the timelines. */
  readonly by: string;
  /** Mailboxes that get it; absent means those that did not get it before. */
  readonly recipients?: readonly string[];
  /** Another reverse-path; empty for the null one. */
  readonly reversePath?: string;
  /** The name of the route it takes, regardless of its match. */
  readonly route?: string;
  /** The name of the transport it takes, regardless of the routes. */
  readonly transport?: string;
  /** The octets in place of those that are kept. */
  readonly message?: Uint8Array;
}

/** What sending again needs. */
export interface SendAgainServices {
  readonly store: QueueStore;
  readonly newId: () => string;
  readonly nowMs: number;
  /** How long the delivery is tried. */
  readonly expireMs: number;
  /** Larger messages stand in spool files. */
  readonly spoolThresholdBytes: number;
  /** Signs octets that were changed of a message from there; absent means that they go without. */
  readonly sign?: (octets: Uint8Array, origin: Origin) => Promise<string>;
}

export type SendAgainResult =
  | { readonly kind: "queued"; readonly id: string; readonly recipients: number }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Puts a message into the queue once more, as a new one that refers to the old one and is referred
 * to by it. When it resolves with `queued` the new message is on disk.
 *
 * @throws StoreError as the store does.
 */
export async function sendAgain(
  request: SendAgainRequest,
  services: SendAgainServices,
): Promise<SendAgainResult> {
  const detail = await services.store.get(request.id);
  if (detail === null) return refused("there is no such message");
  const checked = checkedRequest(request, detail.message);
  if (typeof checked === "string") return refused(checked);
  return await queueAnew(detail, { request: checked, services });
}

async function queueAnew(
  detail: MessageDetail,
  { request, services }: { request: SendAgainRequest; services: SendAgainServices },
): Promise<SendAgainResult> {
  const { store, newId, nowMs } = services;
  const recipients = recipientsFor(detail, { request, nowMs });
  if (typeof recipients === "string") return refused(recipients);
  const record = await recordFor(detail.message, { request, services, id: newId() });
  // Last, so that nothing but the store can fail while there is a spool file.
  const place = await placeOf(detail.message, { request, services });
  if (place === null) return refused("its octets are not kept any more");
  const message: NewMessage = { ...record, place, recipients };
  await store.put(message);
  const { id } = message;
  await note(store, { id: detail.message.id, nowMs, detail: { by: request.by, as: id } });
  await note(store, { id, nowMs, detail: { by: request.by, of: detail.message.id } });
  return { kind: "queued", id, recipients: recipients.length };
}

/** The request with what was edited as SMTP takes it, or why that cannot be. */
function checkedRequest(
  request: SendAgainRequest,
  { body }: MessageRecord,
): SendAgainRequest | string {
  const { reversePath = "", message } = request;
  const sender = reversePath === "" ? null : parseMailbox(reversePath);
  if (sender?.kind === "error") return `${reversePath} is not a mail address: ${sender.reason}`;
  if (message === undefined || body === "BINARYMIME") return request;
  const lines = inLines(message);
  return lines === null ? "it has a bare CR or a NUL" : { ...request, message: lines };
}

/** Lines that end in CRLF, as editors may not leave them (RFC 5321 2.3.8); null where none can be. */
function inLines(octets: Uint8Array): Uint8Array | null {
  const { buffer, byteOffset, byteLength } = octets;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("latin1")
    .replace(/\r?\n|(?<![\r\n])$/g, "\r\n");
  if (text.includes("\0") || /\r(?!\n)/.test(text)) return null;
  return messageInOneForm(Buffer.from(text, "latin1"));
}

function refused(reason: string): SendAgainResult {
  return { kind: "refused", reason };
}

/** The recipients of the new message, or why there are none. */
function recipientsFor(
  { recipients }: MessageDetail,
  { request, nowMs }: { request: SendAgainRequest; nowMs: number },
): NewRecipient[] | string {
  const { transport } = request;
  const due = {
    ...{ state: "queued", nextAttemptAtMs: nowMs } as const,
    ...(transport === undefined ? {} : { transport }),
  };
  if (request.recipients === undefined) {
    const missed = recipients.filter(({ state }) =>
      state === "failed" || state === "expired" || state === "cancelled"
    );
    if (missed.length === 0) return "it reached all recipients; name its recipients";
    return missed.map(({ forwardPath, domain, notify, originalRecipient }) => ({
      ...{ forwardPath, domain, ...due },
      ...(notify === undefined ? {} : { notify }),
      ...(originalRecipient === undefined ? {} : { originalRecipient }),
    }));
  }
  const found: NewRecipient[] = [];
  for (const text of request.recipients) {
    const parsed = parseMailbox(text);
    if (parsed.kind === "error") return `${text} is not a mail address: ${parsed.reason}`;
    found.push({ forwardPath: text, domain: parsed.mailbox.domain, ...due });
  }
  return found.length === 0 ? "it has no recipient" : found;
}

async function recordFor(
  { prefix, headers, ...old }: MessageRecord,
  { request, services, id }: {
    request: SendAgainRequest;
    services: SendAgainServices;
    id: string;
  },
): Promise<MessageRecord> {
  const { nowMs, expireMs, sign } = services;
  const { message: octets, reversePath = old.reversePath, route } = request;
  const { extras, ...rest } = old;
  const kept = extras === undefined ? undefined : lastingExtras(extras);
  const record = {
    ...rest,
    ...{ id, reversePath, receivedAtMs: nowMs, expiresAtMs: nowMs + expireMs },
    ...(kept === undefined ? {} : { extras: kept }),
    ...(route === undefined ? {} : { route }),
  };
  if (octets === undefined) {
    return {
      ...record,
      ...(prefix === undefined ? {} : { prefix }),
      ...(headers === undefined ? {} : { headers }),
    };
  }
  const signed = await sign?.(octets, old.origin) ?? "";
  const facts = bodyFacts(octets);
  const header = readHeader(octets);
  const looked = headerValues(header, Object.keys(headers ?? {}));
  const body = facts.eightBit && old.body === "7BIT" ? "8BITMIME" : old.body;
  return {
    ...{ ...record, body, summary: summarize(header) },
    facts: { ...facts, sizeBytes: facts.sizeBytes + signed.length },
    ...(signed === "" ? {} : { prefix: signed }),
    ...(looked === null ? {} : { headers: looked }),
  };
}

/** The parameters that have not done their work with the first try. */
function lastingExtras(
  { holdUntilMs: _, deliverBy: __, ...extras }: EnvelopeExtras,
): EnvelopeExtras {
  return extras;
}

/** Copies the octets to a place of the new message's own; null when there are none. */
async function placeOf(
  { id, facts }: MessageRecord,
  { request: { message }, services: { store, spoolThresholdBytes } }: {
    request: SendAgainRequest;
    services: SendAgainServices;
  },
): Promise<BodyPlace | null> {
  const octets = message === undefined ? await store.body(id) : [message];
  if (octets === null) return null;
  if ((message?.length ?? facts.sizeBytes) <= spoolThresholdBytes) {
    return { kind: "inline", bytes: concatBytes(await Array.fromAsync(octets)) };
  }
  const spool = store.spool();
  try {
    for await (const chunk of octets) await spool.write(chunk);
    return { kind: "spool", name: await spool.finish() };
  } catch (error) {
    await spool.discard();
    throw error;
  }
}

/** Adds a line to the timeline of a message. */
async function note(
  store: QueueStore,
  { id, nowMs, detail }: { id: string; nowMs: number; detail: Readonly<Record<string, string>> },
): Promise<void> {
  await store.settle({
    ...{ messageId: id, owner: "", recipients: [], notifications: [] },
    timeline: [{ atMs: nowMs, kind: "sent_again", recipients: [], detail }],
  });
}
