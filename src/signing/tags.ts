/**
 * Reads a list of tags (RFC 6376 section 3.2), white space around values removed; null for a text
 * that is none, because a tag has no name or stands twice.
 */
export function parseTags(text: string): ReadonlyMap<string, string> | null {
  const parts = text.split(";");
  if (parts.at(-1)?.trim() === "") parts.pop();
  const tags = new Map<string, string>();
  for (const part of parts) {
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(0, at)).trim();
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || tags.has(name)) return null;
    tags.set(name, part.slice(at + 1).trim());
  }
  return tags;
}

/** A value in which white space says nothing, such as base64. */
export function withoutSpace(value: string): string {
  return value.replace(/[ \t\r\n]+/g, "");
}
