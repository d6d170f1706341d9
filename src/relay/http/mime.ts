import {
  arrange,
  type Arrangement,
  type AttachedPart,
  contentTypeOf,
  TEXT_LIMIT_BYTES,
} from "../../mail/mime/arrange.ts";
import { isKnownCharset } from "../../mail/mime/charset.ts";
import { fileNameOf } from "../../mail/mime/entity.ts";
import { findLoose, octetsIn, readTextPart } from "../../mail/mime/content.ts";
import { htmlToText, textToHtml } from "../../mail/mime/html_text.ts";
import { type OctetRange, type OctetSource, pieceByPiece } from "../../mail/mime/source.ts";
import { type MimePart, mimeTree } from "../../mail/mime/tree.ts";
import type { Loss } from "../../delivery/transport.ts";
import { type Attachment, attachmentsOf } from "./attachments.ts";
import type { RequestBody } from "./body.ts";
import { type MessageFields, readFields } from "./message_fields.ts";

/** A message taken apart. */
export interface ParsedMessage extends MessageFields {
  /** Null where the message has none. */
  readonly text: string | null;
  readonly html: string | null;
  readonly attachments: readonly Attachment[];
  /** What its content loses when it becomes text, HTML and files. */
  readonly contentLosses: readonly Loss[];
}

/** Takes a message apart; null when it is nested, divided or headed beyond reason. */
export async function parseMessage(source: OctetSource): Promise<ParsedMessage | null> {
  const { root, isTooComplex } = await mimeTree(source);
  if (isTooComplex) return null;
  const fields = readFields(await octetsIn(source, root.header));
  const arrangement = arrange(root);
  const losses: Loss[] = [...arrangement.oddities];
  const { text, html } = await textsOf(source, { arrangement, losses });
  const files = shownBy(html, arrangement.attachments);
  losses.push(...filesLosses(files));
  const attachments = await attachmentsOf(source, files);
  const loose = await looseTexts(source, { arrangement, losses });
  return {
    ...fields,
    ...{ text, html, attachments: [...attachments, ...loose], contentLosses: losses },
  };
}

/** The files of a message; those are shown, too, that its HTML refers to (RFC 2392). */
function shownBy(html: string | null, files: readonly AttachedPart[]): AttachedPart[] {
  const references = html?.matchAll(/\bcid:([^\s"'<>()]{1,500})/gi) ?? [];
  const ids = new Set(Array.from(references, ([, id = ""]) => percentDecoded(id)));
  return files.map(({ part, isShown }) => ({
    part,
    isShown: isShown || ids.has(part.entity.contentId ?? ""),
  }));
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // URIError: a percent sign that stands for itself
  }
}

/** What is lost of files: that HTML shows them by their place, that they are text of no name. */
function filesLosses(files: readonly AttachedPart[]): Loss[] {
  const losses: Loss[] = [];
  for (const { part: { entity, body }, isShown } of files) {
    const isByPlace = isShown && entity.isLocated && entity.contentId === null;
    if (isByPlace) losses.push({ kind: "structure", what: "Content-Location" });
    const isLongText = body.end - body.start > TEXT_LIMIT_BYTES &&
      entity.mediaType.startsWith("text/") && entity.disposition.word !== "attachment" &&
      fileNameOf(entity) === null;
    if (isLongText) losses.push({ kind: "structure", what: entity.mediaType });
  }
  return losses;
}

interface Reading {
  readonly arrangement: Arrangement;
  /** Where what gets lost is noted. */
  readonly losses: Loss[];
}

/**
 * The text of all blocks one after the other, in each form that any of them has: who reads one form
 * only shall miss none of them.
 */
async function textsOf(
  source: OctetSource,
  { arrangement: { blocks }, losses }: Reading,
): Promise<{ text: string | null; html: string | null }> {
  const texts: string[] = [];
  const htmls: string[] = [];
  const isHtml = blocks.some((block) => block.html.length > 0);
  const isText = blocks.some((block) => block.text.length > 0);
  if (blocks.length > 1) {
    losses.push({ kind: "structure", what: isHtml && !isText ? "text/html" : "text/plain" });
  }
  const read = async (part: MimePart): Promise<{ kind: "text" | "html"; text: string }> => {
    const { text, isCertain } = await readTextPart(source, part);
    if (!isCertain) losses.push({ kind: "charset", what: charsetName(part) });
    if (contentTypeOf(part) === "text/html") return { kind: "html", text };
    // The last line ends, too, wherever the boundary took its end away.
    return { kind: "text", text: text === "" || text.endsWith("\n") ? text : `${text}\n` };
  };
  for (const block of blocks) {
    const plain = await Array.fromAsync(block.text, read);
    const rich = await Array.fromAsync(block.html, read);
    texts.push(
      ...(plain.length > 0 ? plain : rich).map(({ kind, text }) =>
        kind === "text" ? text : `${htmlToText(text).trim()}\n`
      ),
    );
    htmls.push(
      ...(rich.length > 0 ? rich : plain.filter(hasText)).map(({ kind, text }) =>
        kind === "html" ? text : textToHtml(text)
      ),
    );
  }
  return {
    text: isText ? joined(texts, "") : null,
    html: isHtml ? joined(htmls, "<br>\n") : null,
  };
}

function hasText({ text }: { readonly text: string }): boolean {
  return text.trim() !== "";
}

function joined(texts: readonly string[], between: string): string {
  return texts.filter((text) => text !== "").join(between);
}

function charsetName({ entity }: MimePart): string {
  const written = entity.type.text("charset");
  return written === null || isKnownCharset(written) ? "text" : written;
}

/** What stands beside all parts goes along as a file, and is noted. */
async function looseTexts(
  source: OctetSource,
  { arrangement, losses }: Reading,
): Promise<Attachment[]> {
  const texts = await findLoose(source, arrangement);
  return texts.map(({ what, range }) => {
    losses.push({ kind: "structure", what });
    return {
      ...{ filename: `${what}.txt`, type: "text/plain", content: rangeBody(source, range) },
      ...{ method: null, charset: null, contentId: null },
    };
  });
}

function rangeBody(source: OctetSource, range: OctetRange): RequestBody {
  return { lengthBytes: range.end - range.start, stream: () => pieceByPiece(source, range) };
}
