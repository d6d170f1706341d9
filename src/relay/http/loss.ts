import type { Loss, LossKind } from "../../delivery/transport.ts";
import type { ParsedMessage } from "./mime.ts";
import type { MimePart } from "./mime_tree.ts";

/** Fields that hold a signature over the message, which new octets make void. */
const SIGNATURE_FIELDS = new Set(["dkim-signature", "arc-seal", "domainkey-signature"]);

/** Parts that are a signature or a ciphertext. */
const SECURED = /^(?:multipart\/(?:signed|encrypted)|application\/(?:x-)?pkcs7-mime)$/;

/**
 * What is lost when a message is taken apart into the fields of an API: subject, text, HTML and
 * attachments. Everything that this does not name is carried.
 */
export function conversionLoss(parsed: ParsedMessage): Loss[] {
  const losses = new Losses();
  for (const { name } of parsed.fields) {
    if (SIGNATURE_FIELDS.has(name.toLowerCase())) losses.add("signature", name);
  }
  for (const name of parsed.repeatedFields) losses.add("fields", name);
  if (parsed.authors.length !== 1) losses.add("fields", "From");
  if (parsed.undecoded) losses.add("charset", "text");
  lookAt(parsed.root, { losses, isRoot: true });
  lookForBodies(parsed.root, losses);
  return losses.list;
}

/** Each loss once, in the order in which it was found. */
class Losses {
  readonly list: Loss[] = [];

  add(kind: LossKind, what: string): void {
    const isKnown = this.list.some((loss) => loss.kind === kind && loss.what === what);
    if (!isKnown) this.list.push({ kind, what });
  }
}

function lookAt(part: MimePart, { losses, isRoot }: { losses: Losses; isRoot: boolean }): void {
  const { type, params } = part;
  if (SECURED.test(type)) losses.add("signature", type);
  else if (type === "multipart/mixed" && !isRoot) losses.add("structure", type);
  else if (type === "multipart/alternative") lookAtAlternatives(part, losses);
  else if (/^multipart\/(?!mixed|related)/.test(type) || type.startsWith("message/")) {
    losses.add("structure", type);
  }
  if (type === "text/calendar" && params.has("method")) losses.add("alternative", type);
  if (type.startsWith("text/") && !isKnownCharset(params.get("charset"))) {
    losses.add("charset", params.get("charset") ?? "");
  }
  // What a signature covers stands where the message would otherwise begin.
  const areRoots = isRoot && type === "multipart/signed";
  for (const inner of part.parts) lookAt(inner, { losses, isRoot: areRoots });
}

/** An API has one plain text and one HTML (RFC 2046 5.1.4). */
function lookAtAlternatives({ parts }: MimePart, losses: Losses): void {
  for (const { type } of parts) {
    if (!["text/plain", "text/html", "multipart/related"].includes(type)) {
      losses.add("alternative", type);
    }
  }
}

/** Text that is neither an attachment nor the only one of its type ends up joined with others. */
function lookForBodies(root: MimePart, losses: Losses): void {
  const seen = new Set<string>();
  const visit = (part: MimePart): void => {
    const isBody = part.type === "text/plain" || part.type === "text/html";
    if (isBody && part.disposition !== "attachment" && !part.params.has("name")) {
      if (seen.has(part.type)) losses.add("structure", part.type);
      seen.add(part.type);
    }
    part.parts.forEach(visit);
  };
  visit(root);
}

function isKnownCharset(charset: string | undefined): boolean {
  if (charset === undefined) return true;
  try {
    return new TextDecoder(charset).encoding !== "";
  } catch {
    return false; // RangeError: the runtime does not know the label
  }
}
