import type { Loss, LossKind } from "../../delivery/transport.ts";
import type { Attachment } from "./attachments.ts";
import type { ParsedMessage } from "./mime.ts";

/** Fields that hold a signature over the message, which new octets make void. */
const SIGNATURE_FIELDS = new Set(["dkim-signature", "arc-seal", "domainkey-signature"]);
/** Fields that say who sent it on, which no API takes (RFC 5322 3.6.6). */
const RESENT = /^resent-(?!bcc$)/i;
/** Charsets that a text file is in anyway. */
const USUAL_CHARSET = /^(?:utf-?8|us-ascii|ascii)$/;

/**
 * What is lost when a message is taken apart into the fields of an API: subject, text, HTML and
 * attachments. Everything that this does not name is carried.
 *
 * @param isStandIn whether the author is not one that the message names.
 */
export function conversionLoss(
  parsed: ParsedMessage,
  { isStandIn }: { isStandIn: boolean },
): Loss[] {
  const losses = new Losses();
  for (const { kind, what } of lostSignatures(parsed)) losses.add(kind, what);
  for (const { name } of parsed.fields) if (RESENT.test(name)) losses.add("fields", name);
  for (const name of parsed.repeatedFields) losses.add("fields", name);
  if (isStandIn || parsed.authors.length !== 1 || parsed.namedAuthors !== 1) {
    losses.add("fields", "From");
  }
  for (const { kind, what } of parsed.contentLosses) losses.add(kind, what);
  return losses.list;
}

/** Signatures over a message that other octets make void. */
export function lostSignatures({ fields }: Pick<ParsedMessage, "fields">): Loss[] {
  const losses = new Losses();
  for (const { name } of fields) {
    if (SIGNATURE_FIELDS.has(name.toLowerCase())) losses.add("signature", name);
  }
  return losses.list;
}

/** What APIs lose that take no parameters with the type of a file. */
export function parameterLosses(attachments: readonly Attachment[]): Loss[] {
  const losses = new Losses();
  for (const { charset, filename } of attachments) {
    const isLost = charset !== null && !USUAL_CHARSET.test(charset);
    if (isLost) losses.add("charset", `${charset} of ${filename}`);
  }
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
