import { concatBytes, decodeLatin1, decodeText } from "../base/bytes.ts";
import type { MimeEntity } from "../mail/mime/entity.ts";
import { htmlToText } from "../mail/mime/html_text.ts";
import { type MimeVisitor, MimeWalk } from "../mail/mime/walk.ts";
import { transferDecode } from "../mail/mime/transfer_decode.ts";

/** The parts of a message that say whether it is a report, and of what. */
export interface ReportParts {
  /** The header section of the report itself. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** The first text for people; empty where there is none. */
  readonly text: string;
  /** Content of the `message/delivery-status` part (RFC 3464); null where there is none. */
  readonly deliveryStatus: string | null;
  /** Content of the `message/feedback-report` part (RFC 5965); null where there is none. */
  readonly feedbackReport: string | null;
  /** At least the header section of the message that is reported on; null where it is not there. */
  readonly returned: Uint8Array<ArrayBuffer> | null;
}

/** A report says what it has to say long before this. */
const READ_LIMIT_BYTES = 4 * 1024 * 1024;
/** Of a report that has more parts than anybody writes, the first ones are enough. */
const ENTITY_LIMIT = 1_000;
const HEADER_LIMIT_BYTES = 64 * 1024;
const STATUS_LIMIT_BYTES = 512 * 1024;
const TEXT_LIMIT_BYTES = 64 * 1024;

/**
 * Reads a report from its octets, no further than it must: a bounce may bring back all of a large
 * message, of which only the header section is of use.
 */
export async function readReport(octets: AsyncIterable<Uint8Array>): Promise<ReportParts> {
  const visitor = new ReportVisitor();
  const walk = new MimeWalk(visitor);
  let readBytes = 0;
  for await (const chunk of octets) {
    walk.push(chunk);
    readBytes += chunk.length;
    if (visitor.isDone || walk.isTooComplex || readBytes >= READ_LIMIT_BYTES) break;
  }
  walk.end();
  return visitor.parts();
}

type Part = "text" | "html" | "deliveryStatus" | "feedbackReport" | "returned";

const PARTS: Readonly<Record<string, Part>> = {
  "text/plain": "text",
  "text/html": "html",
  "message/delivery-status": "deliveryStatus",
  "message/global-delivery-status": "deliveryStatus", // RFC 6533 section 4
  "message/feedback-report": "feedbackReport",
  "text/rfc822-headers": "returned", // RFC 6522 section 4
  "message/rfc822-headers": "returned",
  "message/global": "returned", // RFC 6532 section 3.7
  "message/global-headers": "returned", // RFC 6533 section 5
};

const LIMITS_BYTES: Readonly<Record<Part, number>> = {
  text: TEXT_LIMIT_BYTES,
  html: TEXT_LIMIT_BYTES,
  deliveryStatus: STATUS_LIMIT_BYTES,
  feedbackReport: TEXT_LIMIT_BYTES,
  returned: HEADER_LIMIT_BYTES,
};

/** Keeps the first part of each kind. What stands inside the returned message is not looked at. */
class ReportVisitor implements MimeVisitor {
  readonly #found = new Map<Part, Uint8Array<ArrayBuffer>>();
  #header: Uint8Array<ArrayBuffer> | null = null;
  /** The part that is read, when it is of use. */
  #open: { part: Part; encoding: string; chunks: Uint8Array[]; lengthBytes: number } | null = null;
  /** Whether the next header section is that of the returned message. */
  #isReturnedNext = false;
  #isSingle = false;
  #entities = 0;

  /** Whether nothing of use can follow. */
  get isDone(): boolean {
    if (this.#found.has("returned") || this.#entities > ENTITY_LIMIT) return true;
    return this.#isSingle && this.#open !== null && roomIn(this.#open) === 0;
  }

  header(octets: Uint8Array, { kind, mediaType, encoding }: MimeEntity): void {
    if (this.isDone) return;
    this.#entities++;
    const isReport = this.#header === null;
    this.#header ??= octets.slice(0, HEADER_LIMIT_BYTES);
    if (this.#isReturnedNext) {
      this.#found.set("returned", octets.slice(0, HEADER_LIMIT_BYTES));
      return;
    }
    this.#isSingle = isReport && kind === "leaf";
    this.#isReturnedNext = kind === "message" && !isReport;
    const part = kind === "leaf" ? PARTS[mediaType] : undefined;
    const isNew = part !== undefined && !this.#found.has(part);
    this.#open = isNew ? { part, encoding, chunks: [], lengthBytes: 0 } : null;
  }

  body(octets: Uint8Array): void {
    if (this.#open === null || this.isDone) return;
    const room = roomIn(this.#open);
    if (room === 0) return;
    const piece = octets.slice(0, room);
    this.#open.chunks.push(piece);
    this.#open.lengthBytes += piece.length;
  }

  bodyEnd(): void {
    if (this.#open === null) return;
    const { part, encoding, chunks } = this.#open;
    this.#open = null;
    if (!this.#found.has(part)) {
      this.#found.set(part, transferDecode(concatBytes(chunks), encoding));
    }
  }

  between(): void {}

  parts(): ReportParts {
    return {
      header: this.#header ?? new Uint8Array(),
      text: this.#textOf("text") ?? htmlToText(this.#textOf("html") ?? ""),
      deliveryStatus: this.#textOf("deliveryStatus"),
      feedbackReport: this.#textOf("feedbackReport"),
      returned: this.#found.get("returned") ?? null,
    };
  }

  #textOf(part: Part): string | null {
    const octets = this.#found.get(part);
    return octets === undefined ? null : textOf(octets);
  }
}

function roomIn({ part, lengthBytes }: { part: Part; lengthBytes: number }): number {
  return Math.max(0, LIMITS_BYTES[part] - lengthBytes);
}

/** UTF-8, or what is left when it is not: codes and addresses are in ASCII anyway. */
function textOf(octets: Uint8Array): string {
  const text = decodeText(octets);
  return text.includes("\ufffd") ? decodeLatin1(octets) : text;
}
