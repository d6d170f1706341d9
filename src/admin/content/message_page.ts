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
export function messagePage({ rich, parts }: MessageContent): SafeHtml | null {
  if (rich.length === 0) return null;
  const inlineImage = pictureFinder(parts);
  let blocked = 0;
  const pieces = rich.map(({ kind, text }) => {
    if (kind === "text") return `<pre>${escapeText(text)}</pre>`;
    const safe = safeHtml(text, { inlineImage });
    blocked += safe.blocked;
    return safe.html;
  });
  return { html: `${HEAD}${pieces.join("<hr>")}</body></html>`, blocked };
}

function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
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
