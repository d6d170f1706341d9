/** Elements after which a new line begins. */
const LINE_END = /^(?:br|\/(?:p|div|tr|li|h[1-6]|table|pre|blockquote|ul|ol))\b/i;
/** Elements whose content is not shown. */
const HIDDEN = /^(?:style|script|title|head)\b/i;

const REFERENCES: Readonly<Record<string, string>> = {
  ...{ lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: " " },
};

/**
 * The words of HTML, for where only text can be shown. What has an @ in it is an address in angle
 * brackets, and stays. Its time is linear in the length.
 */
export function htmlToText(html: string): string {
  const [first = "", ...pieces] = html.split("<");
  let hidden: string | null = null;
  const words = pieces.map((piece) => {
    if (hidden !== null) {
      if (!piece.toLowerCase().startsWith(`/${hidden}`)) return "";
      hidden = null;
    } else {
      hidden = HIDDEN.exec(piece)?.[0].toLowerCase() ?? null;
      if (hidden !== null) return "";
    }
    const end = piece.indexOf(">");
    if (end < 0) return `<${piece}`;
    if (LINE_END.test(piece)) return `\n${piece.slice(end + 1)}`;
    return piece.lastIndexOf("@", end) < 0 ? ` ${piece.slice(end + 1)}` : `<${piece}`;
  });
  return [first, ...words].join("").replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi,
    (written, dec?: string, hex?: string, name?: string) => {
      if (name !== undefined) return REFERENCES[name.toLowerCase()] ?? written;
      const code = dec === undefined ? parseInt(hex ?? "", 16) : Number(dec);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
    },
  );
}

/** Plain text as a piece of HTML that looks like it. */
export function textToHtml(text: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
  return `<pre style="white-space:pre-wrap;font:inherit">${escaped}</pre>`;
}
