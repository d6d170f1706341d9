import { concatBytes } from "../../base/bytes.ts";
import { type SafeHtml, safeHtml } from "./safe_html.ts";
import type { ContentPart, MessageContent, TextPart } from "./read.ts";

/** Octets of inline pictures that one page may carry. */
const INLINE_LIMIT_BYTES = 4 * 1024 * 1024;
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

const HEAD = `<!DOCTYPE html><html><head><meta charset="utf-8">` +
  `<meta name="referrer" content="no-referrer">` +
  `<style>body{margin:1rem;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;` +
  `background:#fff;color:#111}img{max-width:100%;height:auto}` +
  `pre{white-space:pre-wrap}</style></head><body>`;

/** A message as a page that runs nothing and fetches nothing; null when it has no text at all. */
export async function messagePage({ rich, parts }: MessageContent): Promise<SafeHtml | null> {
  if (rich.length === 0) return null;
  const pictures = await picturesIn(rich, parts);
  let blocked = 0;
  const pieces = rich.map(({ kind, text }) => {
    if (kind === "text") return `<pre>${escapeText(text)}</pre>`;
    const safe = safeHtml(text, { inlineImage: pictures });
    blocked += safe.blocked;
    return safe.html;
  });
  return { html: `${HEAD}${pieces.join("<hr>")}</body></html>`, blocked };
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/** Finds inline pictures by their Content-ID (RFC 2392), each as a `data:` address. */
async function picturesIn(
  rich: readonly TextPart[],
  parts: readonly ContentPart[],
): Promise<(contentId: string) => string | null> {
  const byId = new Map(parts.map((part) => [part.contentId, part]));
  const wanted = new Map<string, ContentPart>();
  let leftBytes = INLINE_LIMIT_BYTES;
  /** Each mention of a picture stands in the page again. */
  const mayShow = (contentId: string): ContentPart | null => {
    const part = byId.get(contentId);
    if (part === undefined || !PICTURES.has(part.mediaType) || part.sizeBytes > leftBytes) {
      return null;
    }
    leftBytes -= part.sizeBytes;
    return part;
  };
  for (const { kind, text } of rich) {
    if (kind === "text") continue;
    safeHtml(text, {
      inlineImage(contentId) {
        const part = mayShow(contentId);
        if (part !== null) wanted.set(contentId, part);
        return null;
      },
    });
  }
  const addresses = new Map<string, string>();
  for (const [contentId, { mediaType, stream }] of wanted) {
    const octets = concatBytes(await Array.fromAsync(stream()));
    addresses.set(contentId, `data:${mediaType};base64,${octets.toBase64()}`);
  }
  leftBytes = INLINE_LIMIT_BYTES;
  return (contentId) => mayShow(contentId) === null ? null : addresses.get(contentId) ?? null;
}

const BLOCK_END = /<\/(?:p|div|tr|h[1-6]|li|blockquote|table|pre)>|<br>|<hr>/g;
const REFERENCES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  nbsp: " ",
};

/** The text of a message: its own, or what its HTML says without the markup. */
export function messageText(
  { plain }: MessageContent,
): { readonly text: string; readonly source: "text" | "html" | "none" } {
  if (plain.length === 0) return { text: "", source: "none" };
  const text = plain.map((part) => part.kind === "text" ? part.text : withoutMarkup(part.text))
    .join("\n");
  return { text, source: plain.every(({ kind }) => kind === "html") ? "html" : "text" };
}

function withoutMarkup(html: string): string {
  return safeHtml(html, { inlineImage: () => null }).html
    .replace(BLOCK_END, "\n").replace(/<[^>]*>/g, "")
    .replace(/&(amp|lt|gt|quot|nbsp);/g, (_whole, name: string) => REFERENCES[name] ?? "")
    .replace(/[ \t]+/g, " ").replace(/\n(?:[ \n]*\n)/g, "\n\n").replace(/\n /g, "\n").trim();
}
