import { fileNameOf, type MimeEntity } from "./entity.ts";
import type { OctetRange } from "./source.ts";
import type { MimePart } from "./tree.ts";

/** A stretch of the text of a message, in each form that it has. */
export interface TextBlock {
  /** The parts that are its plain form, in order; empty where it has none. */
  readonly text: readonly MimePart[];
  /** The parts that are its HTML; plain ones may be among them. Empty where it has none. */
  readonly html: readonly MimePart[];
}

/** A part that is no text of the message. */
export interface AttachedPart {
  readonly part: MimePart;
  /** Whether HTML may show it (RFC 2387, RFC 2392). */
  readonly isShown: boolean;
}

/** Something about the structure that does not fit into text, HTML and files. */
export interface Oddity {
  readonly kind: "structure" | "alternative" | "signature";
  /** What it concerns, for people: a media type, the name of a file. */
  readonly what: string;
}

/** Which parts of a message are its text, and which are files. Every leaf is in one place. */
export interface Arrangement {
  readonly blocks: readonly TextBlock[];
  readonly attachments: readonly AttachedPart[];
  /** Octets beside the parts of a multipart (RFC 2046 5.1.1) or below base64: many do not show them. */
  readonly loose: readonly {
    readonly what: "preamble" | "epilogue";
    readonly range: OctetRange;
  }[];
  readonly oddities: readonly Oddity[];
}

/** What is longer is rather a file, and is not held in memory as text. */
export const TEXT_LIMIT_BYTES = 8 * 1024 * 1024;

/** The type that the content of a part has: a multipart that cannot be split is text. */
export function contentTypeOf(
  { entity: { mediaType, kind }, parts }: MimePart,
): string {
  const isUnsplit = mediaType.startsWith("multipart/") &&
    (kind === "leaf" || parts.length === 0);
  return isUnsplit ? "text/plain" : mediaType;
}

/** Decides what of a message is its text and what is a file. */
export function arrange(root: MimePart): Arrangement {
  const found = new Findings();
  const blocks = found.blocksOf(root);
  const chosen = blocks.length > 0 ? blocks : found.promote(root);
  return {
    blocks: chosen,
    attachments: found.attachments,
    loose: found.loose,
    oddities: found.oddities,
  };
}

const SECURED = /^(?:multipart\/(?:signed|encrypted)|application\/(?:x-)?pkcs7-mime)$/;
/** Multiparts that say no more than that their parts stand side by side. */
const PLAIN_MULTIPART = /^multipart\/(?:mixed|related|alternative|signed|encrypted)$/;

class Findings {
  readonly attachments: AttachedPart[] = [];
  readonly loose: { what: "preamble" | "epilogue"; range: OctetRange }[] = [];
  readonly oddities: Oddity[] = [];
  /** Messages of which nothing is noted. */
  readonly #known = new Set<MimeEntity>();

  /** The text in a part; all else in it is attached. */
  blocksOf(
    part: MimePart,
    { isInside = false }: { isInside?: boolean } = {},
  ): TextBlock[] {
    this.#note(part, isInside);
    if (part.parts.length === 0 || part.entity.kind === "message") {
      return this.#leaf(part);
    }
    this.#keepLoose(part);
    switch (part.entity.mediaType) {
      case "multipart/alternative":
        return this.#alternatives(part);
      case "multipart/related":
        return this.#related(part);
      case "multipart/signed":
        // What is signed stands where the message would begin otherwise.
        return part.parts.flatMap((inner) => this.blocksOf(inner, { isInside }));
      case "multipart/digest": // its parts are messages, which needs no word of its own
        for (const { entity } of part.parts) this.#known.add(entity);
        return part.parts.flatMap((inner) => this.blocksOf(inner, { isInside: true }));
      default:
        return part.parts.flatMap((inner) => this.blocksOf(inner, { isInside: true }));
    }
  }

  /** Without any text of its own a message shows its first one that has a name. */
  promote(root: MimePart): TextBlock[] {
    const at = this.attachments.findIndex(({ part }) =>
      part === root
        ? isReadable(part)
        : isText(part) && part.entity.disposition.word !== "attachment"
    );
    const part = this.attachments[at]?.part;
    if (part === undefined || part.entity.disposition.word === "attachment") {
      return [];
    }
    this.attachments.splice(at, 1);
    const name = fileNameOf(part.entity);
    if (name !== null) this.#odd("structure", name);
    if (!isText(part)) this.#odd("structure", part.entity.mediaType);
    return [blockOf(part)];
  }

  #leaf(part: MimePart): TextBlock[] {
    if (isBody(part)) return [blockOf(part)];
    this.#attach(part);
    return [];
  }

  /** RFC 2046 5.1.4: the plainest first. What is neither plain text nor HTML goes along as a file. */
  #alternatives({ parts }: MimePart): TextBlock[] {
    const forms = parts.map((part) => {
      const isForm = part.parts.length === 0 && isText(part) &&
        part.entity.disposition.word !== "attachment";
      if (isForm) {
        this.#note(part, true);
        return { part, blocks: [blockOf(part)] };
      }
      const blocks = this.blocksOf(part, { isInside: true });
      if (blocks.length === 0) this.#odd("alternative", part.entity.mediaType);
      return { part, blocks };
    });
    const text = forms.findLast(({ blocks }) => isPlainForm(blocks));
    const html = forms.findLast(({ blocks }) => blocks.some((block) => block.html.length > 0));
    for (const form of forms) {
      if (form === text || form === html) continue;
      for (
        const part of form.blocks.flatMap((
          block,
        ) => [...block.text, ...block.html])
      ) {
        this.#odd("alternative", contentTypeOf(part));
        this.#attach(part);
      }
    }
    if (text === undefined && html === undefined) return [];
    // The HTML form may have plain forms of its own; they are used where there is no other.
    const plain = text?.blocks ??
      (html?.blocks ?? []).filter((block) => block.text.length > 0);
    return [{
      text: plain.flatMap((block) => block.text),
      html: (html?.blocks ?? []).flatMap((block) =>
        block.html.length > 0 ? block.html : block.text
      ),
    }];
  }

  /** HTML and what it shows (RFC 2387): the first part, or the one that `start` names. */
  #related({ entity, parts }: MimePart): TextBlock[] {
    const start = entity.type.text("start")?.replace(/^<|>$/g, "") ?? null;
    const named = start === null
      ? undefined
      : parts.find((part) => part.entity.contentId === start);
    const root = named ??
      parts.find((part) => part.parts.length > 0 || isText(part)) ?? parts[0];
    const blocks: TextBlock[] = [];
    for (const part of parts) {
      if (part !== root) this.#attachAll(part, { isShown: true });
      else if (part.parts.length > 0 || !isText(part)) {
        blocks.push(...this.blocksOf(part));
      } else {
        this.#note(part, true);
        blocks.push(blockOf(part));
      }
    }
    return blocks;
  }

  #attachAll(part: MimePart, { isShown }: { isShown: boolean }): void {
    this.#note(part, true);
    if (part.parts.length === 0 || part.entity.kind === "message") {
      this.#attach(part, isShown);
      return;
    }
    this.#keepLoose(part);
    for (const inner of part.parts) this.#attachAll(inner, { isShown });
  }

  #attach(
    part: MimePart,
    isShown = part.entity.disposition.word === "inline",
  ): void {
    this.attachments.push({ part, isShown });
  }

  #note(part: MimePart, isInside: boolean): void {
    const { mediaType, writtenType, type, kind, encoding } = part.entity;
    if (kind === "leaf" && part.encoding !== encoding) this.#odd("structure", encoding);
    if (part.rest.end > part.rest.start) {
      this.loose.push({ what: "epilogue", range: part.rest });
    }
    if (writtenType !== null) this.#odd("structure", writtenType);
    if (SECURED.test(mediaType)) return this.#odd("signature", mediaType);
    if (mediaType.startsWith("multipart/")) {
      const isUnsplit = part.parts.length === 0;
      const isOdd = isUnsplit || !PLAIN_MULTIPART.test(mediaType) ||
        (isInside && mediaType === "multipart/mixed");
      if (isOdd) this.#odd("structure", mediaType);
    } else if (mediaType.startsWith("message/") && !this.#known.has(part.entity)) {
      this.#odd("structure", mediaType);
    } else if (mediaType === "text/calendar" && type.has("method")) {
      this.#odd("alternative", mediaType);
    }
  }

  #keepLoose({ preamble, epilogue }: MimePart): void {
    if (preamble.end > preamble.start) {
      this.loose.push({ what: "preamble", range: preamble });
    }
    if (epilogue.end > epilogue.start) {
      this.loose.push({ what: "epilogue", range: epilogue });
    }
  }

  #odd(kind: Oddity["kind"], what: string): void {
    const isKnown = this.oddities.some((known) => known.kind === kind && known.what === what);
    if (!isKnown) this.oddities.push({ kind, what });
  }
}

/** Whether a leaf is plain text or HTML that can be shown as the text of a message. */
function isText(part: MimePart): boolean {
  const type = contentTypeOf(part);
  const isShort = part.body.end - part.body.start <= TEXT_LIMIT_BYTES;
  return isShort && (type === "text/plain" || type === "text/html");
}

/** RFC 2046 4.1.4: text of a kind that is not known is text all the same. */
function isReadable(part: MimePart): boolean {
  const isShort = part.body.end - part.body.start <= TEXT_LIMIT_BYTES;
  return isText(part) ||
    (isShort && /^text\/(?!calendar)/.test(part.entity.mediaType));
}

/** Whether a leaf is text of the message, and no file. */
function isBody(part: MimePart): boolean {
  const { disposition } = part.entity;
  return isText(part) && disposition.word !== "attachment" &&
    fileNameOf(part.entity) === null;
}

function isPlainForm(blocks: readonly TextBlock[]): boolean {
  return blocks.length > 0 && blocks.every(({ html }) => html.length === 0);
}

function blockOf(part: MimePart): TextBlock {
  return contentTypeOf(part) === "text/html"
    ? { text: [], html: [part] }
    : { text: [part], html: [] };
}
