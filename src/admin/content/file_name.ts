import { withoutControls } from "../../mail/safe_text.ts";

const MAX_CHARS = 120;
/** Of a longer name the end is taken, where its extension is. */
const LOOKED_AT_CHARS = 1_000;

const EXTENSIONS: Readonly<Record<string, string>> = {
  "message/rfc822": "eml",
  "text/calendar": "ics",
  "text/csv": "csv",
  "text/html": "html",
  "text/plain": "txt",
  "application/pdf": "pdf",
  "application/json": "json",
  "application/zip": "zip",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
};

/**
 * A file name that a message gave, made harmless: no folders, no control or direction marks, no
 * characters that a file system or a header field takes for its own, never hidden, of a bounded
 * length with its extension kept.
 */
export function safeFileName(
  given: string,
  { mediaType, index }: { mediaType: string; index: number },
): string {
  const base = withoutControls(given.slice(-LOOKED_AT_CHARS)).split(/[/\\]/).at(-1) ?? "";
  const clean = base.replace(/[<>:"|?*%;]/g, "_").replace(/^[.\s]+|[.\s]+$/g, "");
  if (clean === "") return `part-${index + 1}.${EXTENSIONS[mediaType] ?? "bin"}`;
  return isDevice(clean) ? `_${shortened(clean)}` : shortened(clean);
}

/** Names that Windows takes for devices, regardless of their extension. */
function isDevice(name: string): boolean {
  return /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name);
}

function shortened(name: string): string {
  const chars = [...name];
  if (chars.length <= MAX_CHARS) return name;
  const extension = /\.[^.]{1,10}$/.exec(name)?.[0] ?? "";
  return chars.slice(0, MAX_CHARS - [...extension].length).join("") + extension;
}

/**
 * A Content-Disposition field for a download (RFC 6266): a quoted ASCII name for all, and the whole
 * name in the form of RFC 8187 where that is not enough. Nothing in `name` can end the field.
 */
export function contentDisposition(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, "_").replace(/["\\%]/g, "_");
  const plain = `attachment; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${extendedValue(name)}`;
}

/** RFC 8187 3.2: everything but attr-char is percent-encoded. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
