import { htmlTokens } from "./html_tokens.ts";

/** Elements that a message may use; all others are left out and their content stays. */
const ELEMENTS = new Set(
  ("a abbr address article aside b bdi bdo big blockquote br caption center cite code col " +
    "colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 " +
    "header hr i img ins kbd li main mark nav ol p pre q s samp section small span strike strong " +
    "sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr").split(" "),
);
const EMPTY = new Set(["br", "col", "hr", "img", "wbr"]);

/** Attributes that only change how things look or read. */
const ATTRIBUTES = new Set(
  ("abbr align alt bgcolor border cellpadding cellspacing color cols colspan dir face height " +
    "hspace lang nowrap reversed role rowspan scope size span start summary title type valign " +
    "vspace width").split(" "),
);

const LINK = /^(?:https?:\/\/|mailto:|tel:)/i;
const INLINE_IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,[a-z0-9+/=\s]*$/i;
/** CSS that can fetch something, run something or hide what it does. */
const UNSAFE_CSS = /url|image|expression|javascript|import|binding|behavior|position|\\|@|<|\/\*/i;
const MAX_DEPTH = 256;

export interface SafeHtmlOptions {
  /** The inline picture with this Content-ID as a `data:` address; null when there is none. */
  readonly inlineImage: (contentId: string) => string | null;
}

export interface SafeHtml {
  readonly html: string;
  /** Pictures and other things from elsewhere that were left out. */
  readonly blocked: number;
}

/**
 * Rewrites the HTML of a message so that showing it runs nothing and fetches nothing. It is built
 * anew from elements, attributes and text on the lists above, each escaped here, so nothing of the
 * input is passed on because it was not recognized.
 */
export function safeHtml(html: string, options: SafeHtmlOptions): SafeHtml {
  const writer = new Writer(options);
  for (const token of htmlTokens(html)) {
    if (token.kind === "text") writer.text(token.text);
    else if (!ELEMENTS.has(token.name)) continue;
    else if (token.kind === "open") writer.open(token.name, token.attributes);
    else writer.close(token.name);
  }
  return writer.end();
}

class Writer {
  readonly #options: SafeHtmlOptions;
  readonly #open: string[] = [];
  readonly #parts: string[] = [];
  #blocked = 0;

  constructor(options: SafeHtmlOptions) {
    this.#options = options;
  }

  text(text: string): void {
    this.#parts.push(escapeMarkup(text));
  }

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (!EMPTY.has(name) && this.#open.length >= MAX_DEPTH) return;
    let tag = `<${name}`;
    for (const [key, value] of attributes) {
      const safe = this.#attribute(name, { key, value: decodeReferences(value) });
      if (safe !== null) tag += ` ${key}="${escapeMarkup(safe.replaceAll("&", "&amp;"))}"`;
    }
    if (name === "a") tag += ` target="_blank" rel="noopener noreferrer nofollow"`;
    this.#parts.push(`${tag}>`);
    if (!EMPTY.has(name)) this.#open.push(name);
  }

  /** Closes what is open up to `name`; a stray end tag does nothing. */
  close(name: string): void {
    if (!this.#open.includes(name)) return;
    for (;;) {
      const last = this.#open.pop();
      if (last === undefined) return;
      this.#parts.push(`</${last}>`);
      if (last === name) return;
    }
  }

  end(): SafeHtml {
    for (const name of this.#open.reverse()) this.#parts.push(`</${name}>`);
    return { html: this.#parts.join(""), blocked: this.#blocked };
  }

  /** The value an attribute may have; null leaves it out. */
  #attribute(
    element: string,
    { key, value }: { key: string; value: string },
  ): string | null {
    if (ATTRIBUTES.has(key)) return value;
    if (key === "style") return this.#style(value);
    if (key === "href" && element === "a") {
      const link = value.trim();
      return LINK.test(link) ? link : null;
    }
    if (key === "src" && element === "img") return this.#image(value.trim());
    if (key === "src" || key === "background" || key === "srcset") this.#blocked++;
    return null;
  }

  #image(source: string): string | null {
    if (INLINE_IMAGE.test(source)) return source;
    const inline = /^cid:/i.test(source)
      ? this.#options.inlineImage(decodePercent(source.slice(4)))
      : null;
    if (inline === null) this.#blocked++;
    return inline;
  }

  #style(css: string): string | null {
    const kept = css.split(";").filter((declaration) => {
      if (!UNSAFE_CSS.test(declaration)) return declaration.trim() !== "";
      if (/url/i.test(declaration)) this.#blocked++;
      return false;
    });
    return kept.length === 0 ? null : kept.join(";");
  }
}

/** Text keeps its character references, which mean nothing but characters. */
function escapeMarkup(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  colon: ":",
  sol: "/",
  tab: "\t",
  newline: "\n",
};

/** Decodes the references that can hide what an address or a style is. */
function decodeReferences(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,8}));?/gi,
    (whole, hex, dec, name) => {
      if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? whole;
      const code = hex === undefined ? Number(dec) : parseInt(String(hex), 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "";
    },
  );
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded after all
  }
}
