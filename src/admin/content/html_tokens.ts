/** One piece of an HTML document, as far as a careful reader needs to know it. */
export type HtmlToken =
  | { readonly kind: "text"; readonly text: string }
  | {
    readonly kind: "open";
    readonly name: string;
    readonly attributes: ReadonlyMap<string, string>;
  }
  | { readonly kind: "close"; readonly name: string };

/** Elements whose content is not HTML; it is skipped with them. */
const RAW = new Set([
  "script",
  "style",
  "title",
  "textarea",
  "xmp",
  "iframe",
  "noembed",
  "noframes",
  "noscript",
  "plaintext",
  "template",
  "svg",
  "math",
  "object",
  "head",
]);

// Sticky: they match at a place and nowhere else.
const NAME = /[a-z][^\s/>]*/iy;
const ATTRIBUTE = /[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?/y;
const TAG_END = /[\s/]*>/y;

/**
 * Reads HTML piece by piece, well-formed or not, in time linear in its length. Comments,
 * declarations and elements with a content of their own kind are left out. Character references
 * are not decoded.
 */
export function* htmlTokens(html: string): Generator<HtmlToken> {
  /** Elements that are known not to be closed again, so that nobody looks for their end twice. */
  const unclosed = new Set<string>();
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    if (open < 0) return yield { kind: "text", text: html.slice(at) };
    if (open > at) yield { kind: "text", text: html.slice(at, open) };
    const markup = readMarkup(html, open);
    if (markup === null) return; // the document ends within a tag
    at = markup.end;
    if (markup.token === null) continue;
    const { token } = markup;
    if (token.kind === "text" || !RAW.has(token.name)) yield token;
    else if (token.kind === "open") at = endOfElement(html, { name: token.name, at, unclosed });
  }
}

interface Markup {
  /** Null for comments and declarations. */
  readonly token: HtmlToken | null;
  readonly end: number;
}

/** What begins at the `<` at `open`; null when the document ends before it does. */
function readMarkup(html: string, open: number): Markup | null {
  if (html.startsWith("<!--", open)) return { token: null, end: after(html, "-->", open + 4) };
  const next = html[open + 1];
  if (next === "!" || next === "?") return { token: null, end: after(html, ">", open + 2) };
  const isClosing = next === "/";
  NAME.lastIndex = open + (isClosing ? 2 : 1);
  const name = NAME.exec(html)?.[0].toLowerCase();
  if (name === undefined) return { token: { kind: "text", text: "<" }, end: open + 1 };
  const rest = readAttributes(html, NAME.lastIndex);
  if (rest === null) return null;
  const { attributes, end } = rest;
  return isClosing
    ? { token: { kind: "close", name }, end }
    : { token: { kind: "open", name, attributes }, end };
}

function readAttributes(
  html: string,
  from: number,
): { attributes: ReadonlyMap<string, string>; end: number } | null {
  const attributes = new Map<string, string>();
  for (let at = from;;) {
    TAG_END.lastIndex = at;
    if (TAG_END.test(html)) return { attributes, end: TAG_END.lastIndex };
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(html);
    if (found === null) return null;
    at = ATTRIBUTE.lastIndex;
    const key = found[1]?.toLowerCase() ?? "";
    if (!attributes.has(key)) attributes.set(key, found[2] ?? found[3] ?? found[4] ?? "");
  }
}

/** Where an element ends whose content is skipped. */
function endOfElement(
  html: string,
  { name, at, unclosed }: { name: string; at: number; unclosed: Set<string> },
): number {
  // An open head must not swallow the message: real mail forgets to close it.
  const withoutEnd = name === "head" || name === "title" ? at : html.length;
  if (unclosed.has(name)) return withoutEnd;
  const close = new RegExp(`</${name}(?=[\\s/>])`, "ig");
  close.lastIndex = at;
  const found = close.exec(html);
  if (found !== null) return after(html, ">", found.index);
  unclosed.add(name);
  return withoutEnd;
}

function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from);
  return found < 0 ? html.length : found + mark.length;
}
