/** Who sent what, and what arrived: kept by senders and destinations, and not by the relay. */
import { Buffer } from "node:buffer";
import { messageOfSize } from "../../support/sample_messages.ts";

/** A message that a sender offered. Its recipients have no other. */
export interface OfferedMessage {
  /** Its subject, which names it. */
  readonly name: string;
  /** Empty for the null reverse-path. */
  readonly from: string;
  readonly sizeBytes: number;
  readonly recipients: readonly OfferedRecipient[];
  /** Whether it is to be held (RFC 4865) until long after the storm. */
  readonly isHeld: boolean;
}

/** A recipient of one message. */
export interface OfferedRecipient {
  readonly address: string;
  /** Whether nobody is to be told of a failure (RFC 3461 4.1). */
  readonly isSilent: boolean;
}

/** What a sender knows of its message: `unknown` when the answer to the final dot is missing. */
export type Answer = { readonly kind: "accepted"; readonly id: string } | {
  readonly kind: "refused" | "unknown";
};

/** A failure that a sender was told of. */
export interface Notice {
  /** Message-ID of the notification. */
  readonly id: string;
  readonly action: string;
}

/** The books of one storm. */
export class Books {
  readonly offered = new Map<string, OfferedMessage>();
  readonly answers = new Map<string, Answer>();
  /** What destinations met that must never be. */
  readonly defects: string[] = [];
  readonly #taken = new Map<string, number>();
  readonly #notices = new Map<string, Notice[]>();
  readonly #notificationIds = new Set<string>();

  /** A message is about to be offered; it is not accepted before its final dot. */
  noteOffer(message: OfferedMessage): void {
    this.offered.set(message.name, message);
    this.answers.set(message.name, { kind: "refused" });
  }

  /** A sender is about to send its final dot, or got its answer to it. */
  noteAnswer(name: string, answer: Answer): void {
    this.answers.set(name, answer);
  }

  /** How many recipients of accepted messages are to be held. */
  get heldRecipients(): number {
    let count = 0;
    for (const [name, { kind }] of this.answers) {
      const message = this.offered.get(name);
      if (kind === "accepted" && message?.isHeld === true) count += message.recipients.length;
    }
    return count;
  }

  /** How many deliveries of senders' messages destinations took, one for each recipient. */
  get allTaken(): number {
    return this.#taken.values().reduce((sum, count) => sum + count, 0);
  }

  /** How many notifications arrived, each counted once. */
  get notifications(): number {
    return this.#notificationIds.size;
  }

  /** How often a destination took the message of this recipient. */
  takenOf(address: string): number {
    return this.#taken.get(address) ?? 0;
  }

  /** What its sender was told of this recipient, each notification once. */
  noticesOf(address: string): readonly Notice[] {
    return this.#notices.get(address) ?? [];
  }

  /** A destination took a message, whatever the relay hears of it. */
  noteTaken({ recipients, data }: { recipients: readonly string[]; data: Uint8Array }): void {
    const octets = Buffer.from(data.buffer, data.byteOffset, data.length);
    const header = octets.toString("latin1", 0, octets.indexOf("\r\n\r\n") + 2);
    const name = /^Subject: (m\S+)\r$/m.exec(header)?.[1];
    if (name === undefined) return this.#noteNotification(recipients, octets.toString("latin1"));
    const message = this.offered.get(name);
    if (message === undefined) return void this.defects.push(`${name} was never sent`);
    const sent = messageOfSize(message.sizeBytes, name);
    if (!octets.subarray(-sent.length).equals(sent)) this.defects.push(`${name} was altered`);
    for (const address of recipients) {
      const isMeant = message.recipients.some((recipient) => recipient.address === address);
      if (!isMeant) this.defects.push(`${name} came for ${address}`);
      this.#taken.set(address, this.takenOf(address) + 1);
    }
  }

  /** RFC 3464 2.3: a group of fields for each recipient. */
  #noteNotification(recipients: readonly string[], text: string): void {
    const id = /^Message-ID: (\S+)/im.exec(text)?.[1] ?? "";
    if (this.#notificationIds.has(id)) return;
    this.#notificationIds.add(id);
    const groups = text.matchAll(/^Final-Recipient: rfc822; *(\S+)\r\nAction: (\w+)/gm);
    for (const [, address = "", action = ""] of groups) {
      const isForSender = recipients.every((to) => to === senderOf(address));
      if (!isForSender) this.defects.push(`${recipients} was told of ${address}`);
      const notices = this.#notices.get(address) ?? [];
      notices.push({ id, action });
      this.#notices.set(address, notices);
    }
  }
}

/** The reverse-path of the message that a recipient's address belongs to. */
export function senderOf(address: string): string {
  return `${address.slice(address.indexOf("_") + 1, address.indexOf("@"))}@home.test`;
}

/** The address of a recipient of a message. */
export function recipientOf(name: string, index: number, domain: string): string {
  return `r${index}_${name}@${domain}`;
}
