import { concatBytes } from "../base/bytes.ts";
import { parseMailbox } from "../mail/address.ts";
import { buildDsn } from "../mail/dsn.ts";
import { mainAction } from "../mail/dsn_text.ts";
import type { DsnMessage, DsnOriginal, DsnRecipient, DsnSubject } from "../mail/dsn_types.ts";
import { reply } from "../mail/reply.ts";
import type { EventSink } from "../observe/events.ts";
import type { ExpansionNotice } from "../queue/intake.ts";
import type { MessageRecord, NewMessage } from "../queue/store.ts";
import { type NotificationPlan, planNotification } from "./bounce_plan.ts";
import type { NotificationMaker } from "./notifications.ts";
import type { MessageBody } from "./transport.ts";

/** How notifications are made. */
export interface BounceOptions {
  /** Makes the queue id of each notification. */
  readonly newId: () => string;
  /** The name that this relay gives itself. */
  readonly hostname: string;
  /** Mailbox that is notified of failures of mail without a reverse-path; null for none. */
  readonly postmaster: string | null;
  /** Larger messages are returned as their header section; at least that is what is read. */
  readonly returnLimitBytes?: number;
  /** How long the delivery of a notification is tried. */
  readonly lifetimeMs: number;
  readonly emit: EventSink;
}

const EXPANDED = reply(250, "2.1.5", "Expanded to its members");
const RETURN_LIMIT_BYTES = 64 * 1024;

type Notify = Extract<NotificationPlan, { kind: "notify" }>;

interface Notice {
  readonly plan: Notify;
  readonly message: MessageRecord;
  readonly nowMs: number;
}

/**
 * Makes the notifications of a settlement (RFC 3461 section 5). Without a promise where nobody
 * is to be told or the message is in memory.
 */
export function notificationMaker(options: BounceOptions): NotificationMaker {
  const limitBytes = options.returnLimitBytes ?? RETURN_LIMIT_BYTES;
  const { postmaster } = options;
  return ({ message, conclusions, report, body, nowMs }) => {
    const plan = planNotification({ message, conclusions, report, nowMs, postmaster });
    if (plan.kind === "none") return [];
    if (plan.kind === "nobody") {
      return tellNobody(options, { message, recipients: plan.recipients });
    }
    const notice = { plan, message, nowMs };
    const { bytes } = body;
    if (bytes !== null) {
      return notifyAnyhow(options, {
        notice,
        original: () => originalOf(notice, { bytes, limitBytes }),
      });
    }
    return readOriginal(options, { notice, body, limitBytes }).then((original) =>
      notifyAnyhow(options, { notice, original: () => original })
    );
  };
}

/** Makes a notification, if need be of the bare facts: that it failed must be told. */
function notifyAnyhow(
  options: BounceOptions,
  { notice, original }: { notice: Notice; original: () => DsnOriginal | null },
): readonly NewMessage[] {
  try {
    return notify(options, { ...notice, original: original() });
  } catch (cause) {
    options.emit({
      type: "trouble",
      level: "error",
      component: "notifications",
      message:
        "Cannot create a complete notification; it is sent without the message and its details",
      messageId: notice.message.id,
      cause,
    });
    return notify(options, { ...bareNotice(notice), original: null });
  }
}

/** The notice without what others wrote into it: header fields, parameters, replies. */
function bareNotice({ plan, message, nowMs }: Notice): Notice {
  const { envid: _, ...extras } = message.extras ?? {};
  const recipients = plan.recipients.map((
    { originalRecipient: _, reply: { code, enhanced }, ...recipient },
  ) => ({ ...recipient, remote: null, reply: reply(code, enhanced ?? null, "") }));
  const summary = { subject: "", from: "", messageId: "" };
  return { plan: { ...plan, recipients }, message: { ...message, extras, summary }, nowMs };
}

/** Tells senders who asked for it that an alias was expanded (RFC 3461 section 5.2.7). */
export function expansionNoticeMaker(options: BounceOptions): ExpansionNotice {
  return ({ message, expanded, start }) => {
    if (message.reversePath === "") return null;
    const nowMs = message.receivedAtMs;
    const recipients = expanded.map(({ forwardPath, originalRecipient }): DsnRecipient => ({
      mailbox: forwardPath,
      ...(originalRecipient === undefined ? {} : { originalRecipient }),
      action: "expanded",
      status: "2.1.5",
      reply: EXPANDED,
      remote: null,
      lastAttemptAtMs: nowMs,
    }));
    const plan: Notify = {
      kind: "notify",
      to: message.reversePath,
      forPostmaster: false,
      recipients,
    };
    const original = { bytes: start, whole: message.facts.sizeBytes <= start.length, full: false };
    return notify(options, { plan, message, nowMs, original })[0] ?? null;
  };
}

/**
 * What is returned: RET of RFC 3461 4.3, only the header where nothing failed, and for REQUIRETLS
 * as if RET=HDRS had been said (RFC 8689 section 5).
 */
function originalOf(
  { plan, message }: Notice,
  { bytes, limitBytes }: { bytes: Uint8Array; limitBytes: number },
): DsnOriginal {
  const failed = plan.recipients.some(({ action }) => action === "failed");
  const headerOnly = message.extras?.ret === "HDRS" || message.extras?.requireTls === true;
  return {
    bytes: bytes.length > limitBytes ? bytes.subarray(0, limitBytes) : bytes,
    whole: message.facts.sizeBytes <= limitBytes,
    full: failed && !headerOnly && message.body !== "BINARYMIME",
  };
}

/** Reads no more than `limitBytes`. A message that cannot be read is still reported. */
async function readOriginal(
  { emit }: BounceOptions,
  { notice, body, limitBytes }: { notice: Notice; body: MessageBody; limitBytes: number },
): Promise<DsnOriginal | null> {
  try {
    const bytes = await beginningOf(body, limitBytes);
    return originalOf(notice, { bytes, limitBytes });
  } catch (cause) {
    emit({
      type: "trouble",
      level: "warning",
      component: "notifications",
      message: "Cannot include the message in its notification: its content is unreadable",
      messageId: notice.message.id,
      cause,
    });
    return null;
  }
}

async function beginningOf(body: MessageBody, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of body.stream()) {
    chunks.push(chunk);
    lengthBytes += chunk.length;
    if (lengthBytes >= limitBytes) break;
  }
  return concatBytes(chunks);
}

function notify(
  { newId, hostname, lifetimeMs, emit }: BounceOptions,
  { plan, message, nowMs, original }: Notice & { readonly original: DsnOriginal | null },
): readonly NewMessage[] {
  const { to, recipients, forPostmaster } = plan;
  const domain = domainOf(to);
  if (domain === null) return tellNobody({ emit }, { message, recipients });
  const id = newId();
  const dsn = buildDsn({
    id,
    to,
    reportingMta: hostname,
    nowMs,
    about: subjectOf(message),
    recipients,
    original,
    ...(forPostmaster ? { forPostmaster } : {}),
  });
  const action = mainAction(recipients);
  emit({ type: "notified", messageId: message.id, notificationId: id, action, to });
  const notification = newMessage(dsn, { id, to, domain, nowMs, lifetimeMs });
  // RFC 8689 section 5: it tells of the message, so it is protected like the message.
  return [
    message.extras?.requireTls ? { ...notification, extras: { requireTls: true } } : notification,
  ];
}

function subjectOf({ id, receivedAtMs, summary, extras, smtpUtf8 }: MessageRecord): DsnSubject {
  const about = { id, arrivedAtMs: receivedAtMs, smtpUtf8, ...summary };
  return extras?.envid === undefined ? about : { ...about, envid: extras.envid };
}

/** The notification as mail that the relay sends like any other, from the null reverse-path. */
function newMessage(
  { bytes, body, smtpUtf8, facts, subject, from, messageId }: DsnMessage,
  { id, to, domain, nowMs, lifetimeMs }: {
    id: string;
    to: string;
    domain: string;
    nowMs: number;
    lifetimeMs: number;
  },
): NewMessage {
  return {
    id,
    receivedAtMs: nowMs,
    reversePath: "", // RFC 3461 6.1, RFC 5321 4.5.5
    body,
    smtpUtf8,
    origin: { listener: "local", clientAddress: "", clientPort: 0, helo: "", protocol: "LOCAL" },
    facts,
    summary: { subject, from, messageId },
    expiresAtMs: nowMs + lifetimeMs,
    place: { kind: "inline", bytes },
    recipients: [{
      forwardPath: to,
      domain,
      notify: ["NEVER"],
      state: "queued",
      nextAttemptAtMs: nowMs,
    }],
  };
}

function domainOf(mailbox: string): string | null {
  const parsed = parseMailbox(mailbox);
  return parsed.kind === "ok" ? parsed.mailbox.domain : null;
}

function tellNobody(
  { emit }: Pick<BounceOptions, "emit">,
  { message, recipients }: { message: MessageRecord; recipients: readonly DsnRecipient[] },
): readonly NewMessage[] {
  const mailboxes = recipients.slice(0, 5).map(({ mailbox }) => `<${mailbox}>`).join(", ");
  emit({
    type: "trouble",
    level: "warning",
    component: "notifications",
    message:
      `Cannot notify the sender that ${mailboxes} did not get the message: it has no usable ` +
      "return address",
    messageId: message.id,
  });
  return [];
}
