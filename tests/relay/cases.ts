/** Odd messages, one of each kind, and what people should see of them. */

/** What an API gets of a message; what a case does not name is free. */
export interface Told {
  readonly text?: string | null;
  readonly html?: string | null;
  readonly subject?: string;
  readonly author?: string;
  readonly replyTo?: string;
  /** `name, type: content` of each, the content with one character for each octet. */
  readonly files?: readonly string[];
  readonly ids?: readonly (string | null)[];
  /** What the timeline says that is lost. */
  readonly losses?: readonly string[];
}

/** Octets in words, one character each, so that no two of them look alike. */
export function octetsInWords(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

const ORDER = "The order is on its way.\n";

/** What an API has to get of each message in `tests/corpus/mime`. */
export const CASES: Readonly<Record<string, Told>> = {
  boundary_missing: { text: ORDER, losses: ["structure multipart/mixed"] },
  boundary_empty: { text: ORDER, losses: ["structure multipart/mixed"] },
  boundary_never_opened: { text: ORDER, losses: ["structure multipart/alternative"] },
  boundary_never_closed: { text: "Hello.\n", files: ["a.pdf, application/pdf: %PDF-"], losses: [] },
  inner_never_opened: {
    text: `Hello.\n${ORDER}`,
    losses: ["structure multipart/alternative", "structure text/plain"],
  },
  beside_all_parts: {
    text: "Hello.\n",
    files: [
      "preamble.txt, text/plain: Words before.",
      "epilogue.txt, text/plain: Words after.\r\n",
    ],
    losses: ["structure preamble", "structure epilogue"],
  },
  type_without_subtype: { text: ORDER, losses: ["structure text"] },
  type_of_a_template: { text: ORDER, losses: ["structure text/{{type}}"] },
  type_that_is_none: { text: "Hello.\n", files: ["a.pdf, application/octet-stream: %PDF-"] },
  flowed: {
    text:
      "> Is this a long paragraph that was wrapped on its way?\n>> It was, twice.\n stuffed\n>\n" +
      "Yes, it is.\n-- \nAda\nat work\n",
    losses: [],
  },
  flowed_delsp: { text: "日本語です。\n", losses: [] },
  file_with_crlf: {
    files: [
      "a.ics, application/ics: BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
      "b.ics, text/calendar: BEGIN:VCALENDAR\r\nEND:VCALENDAR\n",
    ],
    losses: ["alternative text/calendar"],
  },
  named_texts_inline: {
    text: "Hello.\n",
    html: null,
    files: ["a.log, text/plain: line", "b.html, text/html: <p>page</p>"],
    losses: [],
  },
  ascii_that_is_utf8: { text: "Größe 5 €\n", losses: [] },
  ascii_that_is_latin1: { text: "Größe\n", losses: [] },
  charset_unknown: { text: "Größe €\n", losses: ["charset x-nobody-knows"] },
  charset_in_odd_quotes: { text: "Größe €\n", losses: [] },
  charset_none: { text: "Größe\n", losses: [] },
  charset_cp850: { text: "Größe\n", losses: [] },
  charset_utf7: { text: "Größe\n", losses: [] },
  charset_of_utf8_is_latin1: { text: "Größe\n", losses: ["charset text"] },
  words_split: { subject: "张一兵", replyTo: "Jörg <jorg@client.example>", losses: [] },
  soft_break_with_blanks: { text: "It costs 100 €.\n", losses: [] },
  author_missing: { author: " <bounces@sender.example>", losses: ["fields From"] },
  author_empty: { author: " <bounces@sender.example>", losses: ["fields From"] },
  bcc_field: { text: "x\n", losses: [] },
  author_nameless: { author: " <bounces@sender.example>", losses: ["fields From"] },
  file_in_latin1: {
    files: ["a.txt, text/plain: Gr\xf6\xdfe\r\n"],
    losses: ["charset iso-8859-1 of a.txt"],
  },
  sender_field: { losses: ["fields Sender"] },
  subject_in_latin1: { subject: "Größe", losses: [] },
  mailbox_line: { author: "Ada <ada@client.example>", subject: "s", text: "x\n", losses: [] },
  mailbox_line_below_trace: { author: "Ada <ada@client.example>", text: "x\n", losses: [] },
  file_empty: { text: "Hello.\n", files: [], losses: ["structure empty file a.pdf"] },
  names: {
    files: [
      ...["C:\\temp\\a.txt", "my report 1.txt", "Größe.txt", "ab.txt", "Grö%41ße.txt", "Größe.txt"],
      ...["张一兵.txt", "Größe.txt", "only.txt"],
    ].map((name) => `${name}, application/octet-stream: z`),
    losses: [],
  },
  inside: {
    files: [
      "part-1.eml, message/rfc822: Subject: inner\r\n\r\ninner text",
      'winmail.dat, application/ms-tnef: x\x9f>"',
    ],
    losses: ["structure message/rfc822"],
  },
  picture: {
    text: null,
    html: '<img src="cid:pic@a">',
    files: ["part-1.png, image/png: \x89PNG"],
    ids: ["pic@a"],
    losses: [],
  },
  text_beside_html: {
    text: "Hello.\nA list's <footer>\n",
    html: "<p>Hello.</p><br>\n" +
      `<pre style="white-space:pre-wrap;font:inherit">A list's &lt;footer&gt;\n</pre>`,
    losses: ["structure text/plain"],
  },
  boundary_with_blanks: { text: "Hello.\n", files: [], losses: [] },
  boundary_with_brackets: { text: "Hello.\n", files: [], losses: [] },
  boundary_in_sections: { text: "Hello.\n", files: [], losses: [] },
  multipart_in_base64: { text: ORDER, files: [], losses: ["structure multipart/mixed"] },
  type_of_no_kind: { text: ORDER, files: [], losses: ["structure plain/text"] },
  flowed_before_empty_line: { text: "One.\n\nTwo.\n", losses: [] },
  charset_iso2022kr: { subject: "안녕", text: "안녕하세요\n", losses: [] },
  charset_iso2022jp2: { text: "Größe 日本語 안녕 你好 ａα\n", losses: [] },
  author_with_blanks: {
    author: " <bounces@sender.example>",
    losses: ["fields From"],
  },
  author_beside_none: { author: " <ada@client.example>", losses: ["fields From"] },
  charset_latin1_declared: { text: "Größe 5 €\n", losses: [] },
  charset_in_encoded_word: { subject: "Größe", author: "Jörg, X <ada@client.example>", losses: [] },
  fields_repeated: {
    ...{ subject: "first", text: "x\n", html: null },
    losses: ["fields Subject", "fields Content-Type"],
  },
  reply_to_nobody: {
    replyTo: "Bob <bob@client.example>",
    losses: ["fields Reply-To", "fields Sender"],
  },
  author_international: { author: " <bounces@sender.example>", losses: ["fields From"] },
  author_of_unicode_domain: {
    author: "Ada <ada@xn--bcher-kva.example>",
    replyTo: " <x@xn--bcher-kva.example>",
    losses: [],
  },
  author_at_localhost: { author: " <bounces@sender.example>", losses: ["fields From"] },
  words_with_specials: { author: "Doe, Jörg (IT): x; y <ada@client.example>" },
  names_with_controls: {
    files: [
      "a b.txt, application/octet-stream: z",
      "c d e.txt, application/octet-stream: z",
    ],
    losses: [],
  },
  charset_in_meta: { html: '<meta charset="windows-1251"><p>Привет</p>\n', losses: [] },
  charset_utf16_of_utf8: { text: "Größe\n" },
  type_with_blanks: { html: "<p>x</p>\n", losses: [] },
  boundary_closed_with_blanks: {
    ...{ text: "Hello.\n", files: ["a.pdf, application/pdf: %PDF-"] },
    losses: [],
  },
  mark_before_header: { author: "Ada <ada@client.example>", text: "x\n", losses: [] },
  base64_above_footer: {
    text: "The order is on its way!\n",
    files: [
      "a.pdf, application/pdf: %PDF-1",
      "epilogue.txt, text/plain: ________________\r\nOrders mailing list\r\n" +
      "https://lists.example/orders",
      "epilogue.txt, text/plain: Scanned by a filter, nothing found.",
    ],
    losses: ["structure epilogue"],
  },
  base64_that_is_none: {
    text: "The order: it is on its way.\n",
    losses: ["structure base64"],
  },
  uuencode_that_is_none: { text: ORDER, losses: ["structure x-uuencode"] },
  related_of_no_kind: { text: ORDER, losses: ["structure text"] },
  picture_beside_html: {
    text: null,
    html: `<img src="cid:a@x"><img src='cid:b%40x'>`,
    files: ["part-1.png, image/png: a", "b.png, image/png: b", "c.png, image/png: c"],
    ids: ["a@x", "b@x", null],
    losses: [],
  },
  picture_by_its_place: {
    files: ["part-1.png, image/png: a"],
    losses: ["structure Content-Location"],
  },
  text_with_nul: { text: "ab\n" },
  html_without_line_end: { text: "Hello.\nA  page\nBye.\n", losses: ["structure text/plain"] },
  charset_latin1_of_utf8: { subject: "Größe", text: "Größe\n", losses: ["charset text"] },
  text_empty_beside_html: { text: "A page\n", html: "<p>A page</p>" },
};
