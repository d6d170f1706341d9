import { createHash } from "node:crypto";
import { parseMailbox } from "../../../mail/address.ts";
import type { Origin } from "../../../mail/envelope.ts";
import { headerValues } from "../../../mail/header_values.ts";
import { readHeader } from "../../../mail/headers.ts";
import { isAsciiText } from "../../../mail/safe_text.ts";
import { summarize } from "../../../mail/summary.ts";
import type { IntakeLimits } from "../../../queue/intake.ts";
import {
  type NewMessage,
  type NewRecipient,
  type QueueStore,
  StoreError,
} from "../../../queue/store.ts";
import type { ExportedEnvelope } from "./exported.ts";
import { type ReadMessage, readMessage, type ReadOptions } from "./read_message.ts";
import type { SourceItem, SourceMessage } from "./source.ts";

/** Where the store remembers what was imported. */
const SPACE = "import";
const REMEMBERED_MS = 365 * 86_400_000;
const ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ID_CHARS = 16;

/** How messages are to be imported. */
export interface ImportOptions extends Omit<ReadOptions, "format"> {
  readonly store: QueueStore;
  readonly limits: IntakeLimits;
  readonly nowMs: number;
  /** Whether they wait for an operator. */
  readonly holds: boolean;
  /** Whether exported messages begin anew, as if they came now. */
  readonly isFresh: boolean;
  /** Whether what was imported before is imported once more. */
  readonly again: boolean;
  /** Looks at everything and puts nothing. */
  readonly isDryRun: boolean;
}

/** A message but for the place of its octets. */
export type MessageDraft = Omit<NewMessage, "place">;

/** The result of one message. */
export type Imported =
  | { readonly kind: "imported"; readonly label: string; readonly message: MessageDraft }
  | { readonly kind: "known"; readonly label: string }
  | { readonly kind: "passed" | "problem"; readonly label: string; readonly reason: string };

type Unusable = { readonly kind: "passed" | "problem"; readonly reason: string };

/** A message that stands ready, with what it is remembered by. */
interface Prepared {
  readonly label: string;
  readonly key: string;
  readonly read: ReadMessage;
  readonly draft: MessageDraft;
}

/**
 * Reads messages one after the other and puts them into the queue, several at once. The queue id
 * is made from what the message is remembered by, so a run that ends anywhere can be repeated:
 * what is in the queue already has that id.
 */
export class Importer {
  readonly #options: ImportOptions;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /**
   * Reads one item; the promise in the result ends when it is in the queue.
   *
   * @throws StoreError when the queue cannot go on.
   */
  async take(
    item: SourceItem,
    format: ReadOptions["format"],
  ): Promise<{ readonly stored: Promise<Imported> }> {
    const { label } = item;
    if (item.kind !== "message") return { stored: Promise.resolve(item) };
    const prepared = await this.#prepare(item, format);
    return {
      stored: "kind" in prepared
        ? Promise.resolve({ label, ...prepared })
        : this.#store({ label, ...prepared }),
    };
  }

  async #prepare(
    item: SourceMessage,
    format: ReadOptions["format"],
  ): Promise<Omit<Prepared, "label"> | Unusable> {
    const read = await this.#read(item, format);
    if (read.kind === "unusable") return { kind: "problem", reason: read.reason };
    const key = this.#keyOf(item, read);
    const draft = item.exported === null
      ? this.#fromHeader(read, key)
      : this.#fromExport(read, { envelope: item.exported, key });
    if (!("reason" in draft)) return { key, read, draft };
    await read.discard();
    return draft;
  }

  async #read(item: SourceMessage, format: ReadOptions["format"]): ReturnType<typeof readMessage> {
    try {
      return await readMessage(item, { ...this.#options, format });
    } catch (error) {
      if (error instanceof StoreError || !(error instanceof Error)) throw error;
      return { kind: "unusable", reason: `it cannot be read: ${error.message}` };
    }
  }

  /** What the message is remembered by: the same at each run over the same mail. */
  #keyOf({ exported, identity }: SourceMessage, { sha256 }: ReadMessage): string {
    const { again } = this.#options;
    if (exported !== null && !again) return exported.id;
    const facts = [identity, sha256, ...again ? [crypto.randomUUID()] : []];
    return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
  }

  #fromHeader(read: ReadMessage, key: string): MessageDraft {
    const { nowMs, limits } = this.#options;
    const { reversePath, recipients } = read.envelope ?? { reversePath: "", recipients: [] };
    const paths = [reversePath, ...recipients.map(({ forwardPath }) => forwardPath)];
    return {
      ...this.#common(read, read.prefix),
      ...{ id: idOf(key), receivedAtMs: nowMs, expiresAtMs: nowMs + limits.expireMs, reversePath },
      body: read.facts.eightBit ? "8BITMIME" : "7BIT",
      smtpUtf8: !paths.every(isAsciiText),
      origin: importOrigin(),
      recipients: recipients.map(({ forwardPath, mailbox: { domain } }) => ({
        ...{ forwardPath, domain, nextAttemptAtMs: nowMs },
        state: this.#options.holds ? "held" : "queued",
      })),
    };
  }

  /** The message as it was, as far as somebody is left to reach. */
  #fromExport(
    read: ReadMessage,
    { envelope, key }: { envelope: ExportedEnvelope; key: string },
  ): MessageDraft | Unusable {
    const { nowMs, limits, isFresh, again } = this.#options;
    const { extras, route, body, smtpUtf8, origin, reversePath } = envelope;
    const recipients = this.#liveRecipients(envelope);
    if (typeof recipients === "string") return { kind: "problem", reason: recipients };
    if (recipients.length === 0) return { kind: "passed", reason: "no recipient is left" };
    const isEdited = envelope.sha256 !== undefined && envelope.sha256 !== read.sha256;
    const times = isFresh
      ? { receivedAtMs: nowMs, expiresAtMs: nowMs + limits.expireMs }
      : { receivedAtMs: envelope.receivedAtMs, expiresAtMs: envelope.expiresAtMs };
    return {
      // A signature is of no use any more when somebody edited the message.
      ...this.#common(read, isEdited ? "" : envelope.prefix ?? ""),
      ...{ id: again ? idOf(key) : envelope.id, ...times, reversePath, smtpUtf8, origin },
      body: body === "7BIT" && read.facts.eightBit ? "8BITMIME" : body,
      ...(extras === undefined ? {} : { extras }),
      ...(route === undefined ? {} : { route }),
      recipients,
    };
  }

  #liveRecipients({ recipients }: ExportedEnvelope): NewRecipient[] | string {
    const { nowMs, holds, isFresh } = this.#options;
    const live: NewRecipient[] = [];
    for (const { state, nextAttemptAtMs, ...recipient } of recipients) {
      if (state !== "queued" && state !== "held") continue;
      const parsed = parseMailbox(recipient.forwardPath);
      if (parsed.kind === "error") return `${recipient.forwardPath} is not a mail address`;
      live.push({
        ...{ ...recipient, domain: parsed.mailbox.domain, state: holds ? "held" : state },
        nextAttemptAtMs: isFresh ? nowMs : nextAttemptAtMs,
      });
    }
    return live;
  }

  #common(
    { facts, start }: ReadMessage,
    prefix: string,
  ): Pick<NewMessage, "facts" | "summary" | "headers" | "prefix"> {
    const header = readHeader(start);
    const headers = headerValues(header, this.#options.limits.headerNames ?? []);
    return {
      facts: { ...facts, sizeBytes: facts.sizeBytes + prefix.length },
      summary: summarize(header),
      ...(headers === null ? {} : { headers }),
      ...(prefix === "" ? {} : { prefix }),
    };
  }

  async #store({ label, key, read, draft }: Prepared): Promise<Imported> {
    const { isDryRun } = this.#options;
    try {
      if (await this.#isKnown(key, draft.id)) {
        await read.discard();
        return { kind: "known", label };
      }
      if (isDryRun) await read.discard();
      else await this.#put({ ...draft, place: await read.finish() }, { label, key });
      return { kind: "imported", label, message: draft };
    } catch (error) {
      await read.discard();
      throw error;
    }
  }

  async #isKnown(key: string, id: string): Promise<boolean> {
    const { store, isDryRun } = this.#options;
    if (await store.shelf.get(SPACE, key) !== null) return true;
    if (await store.get(id) === null) return false;
    if (!isDryRun) await this.#remember(key, id); // a former run ended between the two
    return true;
  }

  async #put(message: NewMessage, { label, key }: { label: string; key: string }): Promise<void> {
    const { store, nowMs } = this.#options;
    await store.put(message);
    const { id } = message;
    await Promise.all([
      this.#remember(key, id),
      store.settle({
        ...{ messageId: id, owner: "", recipients: [], notifications: [] },
        timeline: [{
          ...{ atMs: nowMs, kind: "imported", recipients: [] },
          detail: { by: "command line", from: label },
        }],
      }),
    ]);
  }

  async #remember(key: string, id: string): Promise<void> {
    const expiresAtMs = this.#options.nowMs + REMEMBERED_MS;
    await this.#options.store.shelf.put(SPACE, { key, value: id, expiresAtMs });
  }
}

/** A queue id made of the hash that a message is remembered by. */
function idOf(key: string): string {
  const hash = Uint8Array.fromHex(key);
  let id = "";
  for (const octet of hash.subarray(0, ID_CHARS)) id += ID_ALPHABET.charAt(octet & 31);
  return id;
}

function importOrigin(): Origin {
  return { listener: "import", clientAddress: "", clientPort: 0, helo: "", protocol: "LOCAL" };
}
