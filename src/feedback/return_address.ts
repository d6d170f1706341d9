import { createHmac, timingSafeEqual } from "node:crypto";
import { encodeText } from "../base/bytes.ts";
import { isQueueId, timeOfQueueId } from "../base/ids.ts";
import { mailboxKey } from "../queue/mailbox.ts";

/** The recipient of a message, as both are known to the queue. */
export interface RecipientRef {
  /** Queue id of the message. */
  readonly messageId: string;
  /** The recipient's position in the envelope, from 0. */
  readonly index: number;
}

/** What a return address says. */
export interface ReturnRef extends RecipientRef {
  /** Tells by `isFor` whether a mailbox is the recipient's, when the message is forgotten. */
  readonly tag: string;
}

/** Whose mail leaves, and to whom. */
export interface ReturnRoute {
  readonly recipient: string;
  /** The domain of the reverse-path. */
  readonly senderDomain: string;
}

/** What return addresses are made and recognized with. */
export interface ReturnAddressOptions {
  /** In A-labels and lower case; at least one. */
  readonly domains: readonly string[];
  readonly key: string;
  /** The key before, which still recognizes what it signed; null for none. */
  readonly oldKey: string | null;
  /** How long after its arrival at the relay reports of a message are taken. */
  readonly lifetimeMs: number;
}

const FORM = /^b-([0-9a-z]{16})-([0-9a-z]{1,4})-([0-9a-f]{8})-([0-9a-f]{20})$/i;
const TAG_HEX = 8; // 32 bits
const SIGNATURE_HEX = 20; // 80 bits
const INDEX_LIMIT = 36 ** 4;
/** Clocks of several nodes differ. */
const CLOCK_SKEW_MS = 86_400_000;

/**
 * Variable envelope return paths: an address that names the message and the recipient it was sent
 * to, so that whatever comes back needs no reading to be understood, and that nobody else can make.
 * `b-QUEUEID-INDEX-TAG-SIGNATURE` has at most 53 octets (RFC 5321 4.5.3.1.1 allows 64) and means the
 * same when its case is changed. When it was made is in the queue id.
 */
export class ReturnAddresses {
  readonly #options: ReturnAddressOptions;

  constructor(options: ReturnAddressOptions) {
    this.#options = options;
  }

  /**
   * The address that a recipient's mail leaves from. Of several domains the one is taken that
   * shares the most labels with the sender's, so that SPF aligns with it (RFC 7489 3.1.2). Null
   * where the message has too many recipients.
   */
  make(
    { messageId, index }: RecipientRef,
    { recipient, senderDomain }: ReturnRoute,
  ): string | null {
    if (index >= INDEX_LIMIT) return null;
    const { domains, key } = this.#options;
    const text = `${messageId.toLowerCase()}-${index.toString(36)}-${tagOf(recipient, key)}`;
    return `b-${text}-${sign(text, key)}@${nearestDomain(domains, senderDomain)}`;
  }

  /** Whether all mail to a domain is for us. */
  owns(domain: string): boolean {
    return this.#options.domains.includes(domain);
  }

  /** Whom a local part names; null when we did not make it, or too long ago. */
  read(localPart: string, nowMs: number): ReturnRef | null {
    const parts = FORM.exec(localPart);
    if (parts === null) return null;
    const [, id = "", index = "", tag = "", signature = ""] = parts;
    const messageId = id.toUpperCase();
    const text = `${id}-${index}-${tag}`.toLowerCase();
    if (!isQueueId(messageId) || !this.#isSigned(text, signature)) return null;
    const ageMs = nowMs - timeOfQueueId(messageId);
    const isFresh = ageMs <= this.#options.lifetimeMs && ageMs >= -CLOCK_SKEW_MS;
    if (!isFresh) return null;
    return { messageId, index: Number.parseInt(index, 36), tag: tag.toLowerCase() };
  }

  /** Whether an address was made for a mailbox. */
  isFor({ tag }: ReturnRef, mailbox: string): boolean {
    return this.#keys.some((key) => tagOf(mailbox, key) === tag);
  }

  /** The first of our addresses in a text, such as the header section of a returned message. */
  find(text: string, nowMs: number): ReturnRef | null {
    for (const [, localPart = "", domain = ""] of text.matchAll(ANYWHERE)) {
      const found = this.owns(domain.toLowerCase()) ? this.read(localPart, nowMs) : null;
      if (found !== null) return found;
    }
    return null;
  }

  get #keys(): readonly string[] {
    const { key, oldKey } = this.#options;
    return oldKey === null ? [key] : [key, oldKey];
  }

  #isSigned(text: string, signature: string): boolean {
    const given = encodeText(signature.toLowerCase());
    return this.#keys.some((key) => timingSafeEqual(given, encodeText(sign(text, key))));
  }
}

const ANYWHERE =
  /\b(b-[0-9a-z]{16}-[0-9a-z]{1,4}-[0-9a-f]{8}-[0-9a-f]{20})@([a-z0-9.-]+[a-z0-9])/gi;

function sign(text: string, key: string): string {
  return hmacHex(`return-path ${text}`, key).slice(0, SIGNATURE_HEX);
}

function tagOf(mailbox: string, key: string): string {
  return hmacHex(`recipient ${mailboxKey(mailbox)}`, key).slice(0, TAG_HEX);
}

function hmacHex(text: string, key: string): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

/** Of several domains the one that shares the most labels with the sender's, else the first. */
export function nearestDomain(domains: readonly string[], senderDomain: string): string {
  const sender = senderDomain.split(".").reverse();
  const shared = (domain: string): number => {
    const labels = domain.split(".").reverse();
    const differing = labels.findIndex((label, place) => label !== sender[place]);
    return differing < 0 ? labels.length : differing;
  };
  // The first of those that share as much; one label is only the top-level domain.
  const best = Math.max(...domains.map(shared));
  return (best > 1 ? domains.find((domain) => shared(domain) === best) : domains[0]) ?? "";
}
