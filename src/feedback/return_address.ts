import { createHmac, timingSafeEqual } from "node:crypto";
import { isQueueId, timeOfQueueId } from "../base/ids.ts";

/** The recipient of a message, as both are known to the queue. */
export interface RecipientRef {
  /** Queue id of the message. */
  readonly messageId: string;
  /** The recipient's position in the envelope, from 0. */
  readonly index: number;
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

const FORM = /^b-([0-9a-z]{16})-([0-9a-z]{1,4})-([0-9a-f]{20})$/i;
const SIGNATURE_HEX = 20; // 80 bits
const INDEX_LIMIT = 36 ** 4;
/** Clocks of several nodes differ. */
const CLOCK_SKEW_MS = 86_400_000;

/**
 * Variable envelope return paths: an address that names the message and the recipient it was sent
 * to, so that whatever comes back needs no reading to be understood, and that nobody else can make.
 * `b-QUEUEID-INDEX-SIGNATURE` has at most 44 octets (RFC 5321 4.5.3.1.1 allows 64) and means the
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
  make({ messageId, index }: RecipientRef, senderDomain: string): string | null {
    if (index >= INDEX_LIMIT) return null;
    const text = `${messageId.toLowerCase()}-${index.toString(36)}`;
    const signature = sign(text, this.#options.key);
    return `b-${text}-${signature}@${nearestDomain(this.#options.domains, senderDomain)}`;
  }

  /** Whether all mail to a domain is for us. */
  owns(domain: string): boolean {
    return this.#options.domains.includes(domain);
  }

  /** Whom a local part names; null when we did not make it, or too long ago. */
  read(localPart: string, nowMs: number): RecipientRef | null {
    const parts = FORM.exec(localPart);
    if (parts === null) return null;
    const [, id = "", index = "", signature = ""] = parts;
    const messageId = id.toUpperCase();
    if (!isQueueId(messageId) || !this.#isSigned(`${id}-${index}`.toLowerCase(), signature)) {
      return null;
    }
    const ageMs = nowMs - timeOfQueueId(messageId);
    const isFresh = ageMs <= this.#options.lifetimeMs && ageMs >= -CLOCK_SKEW_MS;
    return isFresh ? { messageId, index: Number.parseInt(index, 36) } : null;
  }

  /** The first of our addresses in a text, such as the header section of a returned message. */
  find(text: string, nowMs: number): RecipientRef | null {
    for (const [, localPart = "", domain = ""] of text.matchAll(ANYWHERE)) {
      const found = this.owns(domain.toLowerCase()) ? this.read(localPart, nowMs) : null;
      if (found !== null) return found;
    }
    return null;
  }

  #isSigned(text: string, signature: string): boolean {
    const { key, oldKey } = this.#options;
    const given = new TextEncoder().encode(signature.toLowerCase());
    return [key, ...oldKey === null ? [] : [oldKey]].some((one) =>
      timingSafeEqual(given, new TextEncoder().encode(sign(text, one)))
    );
  }
}

const ANYWHERE = /\b(b-[0-9a-z]{16}-[0-9a-z]{1,4}-[0-9a-f]{20})@([a-z0-9.-]+[a-z0-9])/gi;

function sign(text: string, key: string): string {
  return createHmac("sha256", key).update(`return-path ${text}`).digest("hex")
    .slice(0, SIGNATURE_HEX);
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
