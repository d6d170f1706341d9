import { concatBytes, decodeText, encodeText } from "../../base/bytes.ts";
import { bytesSource } from "../../mail/mime/source.ts";
import { type MimePart, mimeTree } from "../../mail/mime/tree.ts";
import { RequestError } from "./reading.ts";

/** Keys whose values are octets, whether their parts have a name for a file or not. */
const FILES = /^(?:attachment|inline|message)(?:\[\d*\])?$/;
/** Keys whose values are text, whether their parts have a name for a file or not. */
const TEXTS = /^(?:(?:from|to|cc|bcc|subject|text|html|amp-html)(?:\[\d*\])?|[hov]:.*)$/i;

/**
 * Reads a form (RFC 7578) with the reader of mail, which takes names of files in every form that
 * clients write: a file whose name is only in `filename*`, or that has none, is a file.
 *
 * @param contentType the field of the request, with the boundary.
 */
export async function readForm(contentType: string, body: Uint8Array): Promise<FormData> {
  const head = encodeText(`Content-Type: ${contentType.replace(/[\r\n]+/g, " ")}\r\n\r\n`);
  const octets = concatBytes([head, body]);
  // What is in a part is for others to read: one level is all that a form has.
  const { root, isTooComplex } = await mimeTree(bytesSource(octets), { depth: 1 });
  const isForm = root.parts.length > 0 && root.isClosed;
  if (!isForm || (isTooComplex && root.parts.length >= 9_999)) {
    throw new RequestError("", "The body is not a form");
  }
  const form = new FormData();
  for (const part of root.parts) addPart(form, part, octets);
  return form;
}

function addPart(
  form: FormData,
  { entity, body }: MimePart,
  octets: Uint8Array<ArrayBuffer>,
): void {
  const name = entity.disposition.text("name");
  if (name === null) throw new RequestError("", "A part of the form has no name");
  const filename = entity.disposition.text("filename");
  const content = octets.subarray(body.start, body.end);
  const isFile = FILES.test(name) || (filename !== null && !TEXTS.test(name));
  if (!isFile) return form.append(name, decodeText(content));
  const type = entity.isDescribed ? entity.mediaType : "";
  form.append(name, new File([content], filename ?? "", { type }));
}
