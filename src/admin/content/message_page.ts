import { type SafeHtml, safeHtml } from "./safe_html.ts";
import type { ContentPart, MessageContent } from "./read.ts";

/** Octets of inline pictures that one page may carry. */
const INLINE_LIMIT_BYTES = 4 * 1024 * 1024;
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

const HEAD = `<!DOCTYPE html><html><head><meta charset="utf-8">` +
  `<meta name="referrer" content="no-referrer">` +
  `<style>body{margin:1rem;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;` +
  `background:#fff;color:#111}img{max-width:100%;height:auto}` +
  `pre{white-space:pre-wrap}</style></head><body>`;

/** A message as a page that runs nothing and fetches nothing; null when it has no text at all. */
export function messagePage({ html, text, parts }: MessageContent): SafeHtml | null {
  if (html !== null) {
    const safe = safeHtml(html, { inlineImage: pictureFinder(parts) });
    return { ...safe, html: `${HEAD}${safe.html}</body></html>` };
  }
  if (text === null) return null;
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return { html: `${HEAD}<pre>${escaped}</pre></body></html>`, blocked: 0 };
}

/** Finds inline pictures by their Content-ID (RFC 2392), each as a `data:` address. */
function pictureFinder(parts: readonly ContentPart[]): (contentId: string) => string | null {
  const byId = new Map(parts.map((part) => [part.contentId, part]));
  const made = new Map<string, string>();
  let leftBytes = INLINE_LIMIT_BYTES;
  return (contentId) => {
    const known = made.get(contentId);
    const part = byId.get(contentId);
    if (part === undefined || !PICTURES.has(part.mediaType)) return null;
    // Each mention of a picture stands in the page again.
    if (part.bytes.length > leftBytes) return null;
    leftBytes -= part.bytes.length;
    const address = known ?? `data:${part.mediaType};base64,${part.bytes.toBase64()}`;
    made.set(contentId, address);
    return address;
  };
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
  { text, html }: MessageContent,
): { readonly text: string; readonly source: "text" | "html" | "none" } {
  if (text !== null && text.trim() !== "") return { text, source: "text" };
  if (html === null) return { text: text ?? "", source: text === null ? "none" : "text" };
  const safe = safeHtml(html, { inlineImage: () => null }).html;
  const plain = safe.replace(BLOCK_END, "\n").replace(/<[^>]*>/g, "")
    .replace(/&(amp|lt|gt|quot|nbsp);/g, (_whole, name: string) => REFERENCES[name] ?? "")
    .replace(/[ \t]+/g, " ").replace(/\s*\n\s*\n\s*/g, "\n\n");
  return { text: plain.trim(), source: "html" };
}
