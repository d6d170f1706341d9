import { assert, assertEquals } from "@std/assert";
import { concatBytes, decodeText } from "../../../src/base/bytes.ts";
import {
  type ConversionLimits,
  type ConvertedMessage,
  convertJob,
} from "../../../src/relay/http/conversion.ts";
import { jobOf } from "../messages.ts";

const LIMITS: ConversionLimits = {
  ...{ api: "An API", maxBytes: 1_000_000, refusedFields: /^$/, keepsMessageId: true },
  ...{ showsInline: true, keepsTypeParameters: false, maxReplyTo: Infinity, maxTags: Infinity },
};

/** What an API is to be told of a message in `tests/corpus/mime`; what is not named is not asked. */
interface Expected {
  readonly text?: string | null;
  readonly html?: string | null;
  readonly subject?: string;
  readonly author?: string;
  readonly replyTo?: string;
  /** `name, type: content` of each. */
  readonly files?: readonly string[];
  readonly ids?: readonly (string | null)[];
  /** What the timeline says that is lost. */
  readonly losses?: readonly string[];
}

const ORDER = "The order is on its way.\n";

const CASES: Readonly<Record<string, Expected>> = {
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
  author_nameless: { author: " <bounces@sender.example>", losses: ["fields From"] },
  file_in_latin1: { losses: ["charset iso-8859-1 of a.txt"] },
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
      'winmail.dat, application/ms-tnef: x�>"',
    ],
    losses: ["structure message/rfc822"],
  },
  picture: {
    text: null,
    html: '<img src="cid:pic@a">',
    files: ["part-1.png, image/png: �PNG"],
    ids: ["pic@a"],
    losses: [],
  },
  text_beside_html: {
    text: "Hello.\nA list's <footer>\n",
    html: "<p>Hello.</p><br>\n" +
      `<pre style="white-space:pre-wrap;font:inherit">A list's &lt;footer&gt;\n</pre>`,
    losses: ["structure text/plain"],
  },
};

for (const [name, expected] of Object.entries(CASES)) {
  Deno.test(`mime case: ${name.replaceAll("_", " ")}`, async () => {
    const message = await Deno.readFile(new URL(`../../corpus/mime/${name}.eml`, import.meta.url));
    for (const pieceBytes of [undefined, 1, 50]) {
      const facts = {
        recipients: ["bob@dest.example"],
        ...(pieceBytes === undefined ? {} : { pieceBytes }),
      };
      const converted = await convertJob(jobOf(message, facts), LIMITS);
      assert(converted.kind === "converted", name);
      const told = await toldBy(converted);
      const asked = Object.keys(expected).map((key) => [key, told[key as keyof Expected]]);
      assertEquals(Object.fromEntries(asked), expected);
    }
  });
}

Deno.test("mime case: every message of the corpus is among them", async () => {
  const files = [];
  for await (const { name } of Deno.readDir(new URL("../../corpus/mime/", import.meta.url))) {
    files.push(name.replace(".eml", ""));
  }
  assertEquals(files.sort(), Object.keys(CASES).sort());
});

async function toldBy(converted: ConvertedMessage): Promise<Required<Expected>> {
  const { text, html, subject, author, replyTo, attachments, losses } = converted;
  const files = await Promise.all(
    attachments.map(async ({ filename, type, content }) =>
      `${filename}, ${type}: ${decodeText(concatBytes(await Array.fromAsync(content.stream())))}`
    ),
  );
  return {
    ...{ text, html, subject, files, author: `${author.name} <${author.address}>` },
    replyTo: replyTo.map(({ name, address }) => `${name} <${address}>`).join(", "),
    ids: attachments.map(({ contentId }) => contentId),
    losses: losses.map(({ kind, what }) => `${kind} ${what}`),
  };
}
