/** Other readers of MIME, each brought to say the same of a message. */
import { Buffer } from "node:buffer";
import PostalMime from "postal-mime";
// @ts-types="./mailparser.d.ts"
import { simpleParser } from "mailparser";
import { encodeText } from "../../../src/base/bytes.ts";
import { contentOctets } from "../../../src/mail/mime/content.ts";
import { fileNameOf } from "../../../src/mail/mime/entity.ts";
import { bytesSource } from "../../../src/mail/mime/source.ts";
import { mimeTree, partsOf } from "../../../src/mail/mime/tree.ts";
import { runPeer } from "../../support/peers.ts";

/** A leaf as a reader sees it. */
export interface SeenLeaf {
  readonly type: string;
  /** Empty for none. */
  readonly name: string;
  /** In hexadecimal. */
  readonly content: string;
}

/** The leaves that our tree has. */
export async function ourLeaves(octets: Uint8Array): Promise<SeenLeaf[]> {
  const source = bytesSource(octets);
  const { root } = await mimeTree(source);
  const leaves = [...partsOf(root)].filter(({ parts }) => parts.length === 0);
  return await Promise.all(leaves.map(async (part) => ({
    type: part.entity.mediaType,
    name: fileNameOf(part.entity) ?? "",
    content: (await contentOctets(source, part)).toHex(),
  })));
}

const PYTHON = `
import base64, email, email.header, json, sys
def name_of(part):
    name = part.get_filename() or ""
    if "=?" in name:
        name = str(email.header.make_header(email.header.decode_header(name)))
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
def leaves(part):
    if part.is_multipart():
        return [leaf for child in part.get_payload() for leaf in leaves(child)]
    return [{"type": part.get_content_type(), "name": name_of(part),
             "content": (part.get_payload(decode=True) or b"").hex()}]
for line in sys.stdin:
    print(json.dumps(leaves(email.message_from_bytes(base64.b64decode(line)))))
`;

/** The leaves that Python's \`email\` package has, of each message. */
export async function pythonLeaves(
  messages: readonly Uint8Array[],
): Promise<SeenLeaf[][]> {
  const stdin = encodeText(
    messages.map((octets) => `${octets.toBase64()}\n`).join(""),
  );
  const lines: string[] = [];
  const { stdout, stderr } = await runPeer("python3", {
    args: ["-c", PYTHON],
    stdin,
  });
  if (stderr !== "") throw new Error(stderr);
  lines.push(...stdout.trimEnd().split("\n"));
  return lines.map((line) => JSON.parse(line) as SeenLeaf[]);
}

/** The files that postal-mime finds. */
export async function postalFiles(octets: Uint8Array): Promise<SeenLeaf[]> {
  const { attachments } = await PostalMime.parse(octets, {
    rfc822Attachments: false,
  });
  return attachments.map(({ mimeType, filename, content }) => ({
    type: mimeType,
    name: filename ?? "",
    content: typeof content === "string"
      ? Buffer.from(content).toString("hex")
      : new Uint8Array(content).toHex(),
  }));
}

/** The files that mailparser finds. */
export async function mailparserFiles(octets: Uint8Array): Promise<SeenLeaf[]> {
  const { attachments } = await simpleParser(Buffer.from(octets));
  return attachments.map(({ contentType, filename, content }) => ({
    type: contentType,
    name: filename ?? "",
    content: content.toString("hex"),
  }));
}
