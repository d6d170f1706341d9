import { assert, assertEquals } from "@std/assert";
import PostalMime, { type Email } from "postal-mime";
import { decodeText, encodeText } from "../../../src/base/bytes.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { composeMessage } from "../../../src/mail/compose/compose.ts";
import { type Draft, needsSmtpUtf8 } from "../../../src/mail/compose/draft.ts";

const CONTEXT = { hostname: "relay.example", nowMs: Date.UTC(2026, 0, 2), unique: "u1" };

const EMPTY: Draft = {
  from: [{ name: "", address: "ada@origin.example" }],
  sender: null,
  replyTo: [],
  to: [{ name: "", address: "bob@dest.example" }],
  cc: [],
  subject: "",
  text: null,
  html: null,
  attachments: [],
  headers: [],
};

function compose(draft: Partial<Draft>): string {
  const composed = composeMessage({ ...EMPTY, ...draft }, CONTEXT);
  assert(composed.kind === "composed", composed.kind === "refused" ? composed.reason : "");
  const text = decodeText(composed.bytes);
  for (const line of text.split("\r\n")) assert(encodeText(line).length <= 998, line);
  assert(!/\r(?!\n)|(?<!\r)\n/.test(text), "a line break that is no CRLF");
  return text;
}

/** Parsed by somebody else's reader. */
async function read(draft: Partial<Draft>): Promise<Email> {
  return await PostalMime.parse(compose(draft));
}

Deno.test("compose: plain text is one part that people can read in its source", () => {
  assertEquals(
    compose({ subject: "Hello", text: "One\nTwo\r\nThree" }),
    "From: ada@origin.example\r\nTo: bob@dest.example\r\nSubject: Hello\r\n" +
      "Date: Fri, 02 Jan 2026 00:00:00 +0000\r\nMessage-ID: <u1@relay.example>\r\n" +
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      "Content-Transfer-Encoding: 7bit\r\n\r\nOne\r\nTwo\r\nThree\r\n",
  );
});

const TEXTS: Readonly<Record<string, string>> = {
  "accents": "Grüße aus Köln",
  "emoji at every place of a word": "📮".repeat(60),
  "something that looks encoded": "=?utf-8?q?x?=",
  "a long line": "word ".repeat(100).trim(),
  "a word that no line holds": "x".repeat(3000),
  "quotes and brackets": `"a" <b@c> (d) \\`,
};
for (const [what, text] of Object.entries(TEXTS)) {
  Deno.test(`compose: ${what} comes out as it went in`, async () => {
    const name = text.slice(0, 200).trim();
    const filename = name.replace("=?", "= ?"); // readers look for encoded-words in all places
    const { subject, from, text: body = "", attachments } = await read({
      subject: text,
      from: [{ name, address: "ada@origin.example" }],
      text,
      attachments: [{
        filename,
        type: "text/plain",
        content: encodeText(text),
        contentId: null,
      }],
    });
    assertEquals(subject, text);
    assertEquals([from?.name, from?.address], [name, "ada@origin.example"]);
    assertEquals(body.trimEnd(), text);
    assertEquals(attachments[0]?.filename, filename);
  });
}

Deno.test("compose: text, HTML, pictures and files have their places", async () => {
  const picture = seededRandom(2).fill(new Uint8Array(1000));
  const file = seededRandom(1).fill(new Uint8Array(100_001));
  const source = compose({
    text: "plain",
    html: `<p>Größe <img src="cid:pic@x"></p>`,
    attachments: [
      { filename: "p.png", type: "image/png", content: picture, contentId: "pic@x" },
      { filename: "f.bin", type: "application/octet-stream", content: file, contentId: null },
    ],
  });
  const types = [...source.matchAll(/^Content-Type: ([^;\r]+)/gm)].map(([, type]) => type);
  assertEquals(types, [
    "multipart/mixed",
    "multipart/alternative",
    "text/plain",
    "multipart/related",
    "text/html",
    "image/png",
    "application/octet-stream",
  ]);
  const { html = "", attachments } = await PostalMime.parse(source);
  assertEquals(html.trim(), `<p>Größe <img src="cid:pic@x"></p>`);
  assertEquals(attachments.map(({ disposition }) => disposition), ["inline", "attachment"]);
  assertEquals(attachments.map(({ contentId }) => contentId), ["<pic@x>", undefined]);
  assertEquals(
    attachments.map(({ content }) => new Uint8Array(content as ArrayBuffer)),
    [picture, file],
  );
});

Deno.test("compose: other forms of the text stand behind the HTML", () => {
  const source = compose({
    ...{ text: "Come.", html: "<b>Come.</b>" },
    alternatives: [{ type: "text/calendar; method=REQUEST", text: "BEGIN:VCALENDAR" }],
  });
  const types = [...source.matchAll(/^Content-Type: ([^;\r]+)/gm)].map(([, type]) => type);
  assertEquals(types, ["multipart/alternative", "text/plain", "text/html", "text/calendar"]);
  for (const type of ["image/png", "text/calendar; charset=latin1", "text/x\r\nBcc: a@b.example"]) {
    const alternatives = [{ type, text: "" }];
    assertEquals(composeMessage({ ...EMPTY, alternatives }, CONTEXT).kind, "refused", type);
  }
});

Deno.test("compose: a message within a message is not encoded", () => {
  const content = encodeText("Subject: inner\r\n\r\nText\r\n");
  const attachment = { filename: "m.eml", type: "message/rfc822", content, contentId: null };
  assert(compose({ attachments: [attachment] }).includes("7bit\r\nContent-Disposition"));
  const broken = { ...attachment, content: encodeText("Subject: inner\n\nText\n") };
  assert(compose({ attachments: [broken] }).includes("Content-Type: application/octet-stream"));
});

Deno.test("compose: recipients that are not shown are not named", () => {
  assert(compose({ to: [], cc: [] }).includes("\r\nTo: undisclosed-recipients:;\r\n"));
  assert(
    !compose({ to: [], cc: [{ name: "C", address: "c@x.example" }] }).includes("undisclosed"),
  );
});

Deno.test("compose: of mailboxes only local parts need UTF-8", () => {
  const mailbox = (address: string) => [{ name: "", address }];
  const text = compose({ from: mailbox("ada@BÜCHER.example"), to: mailbox("Bob@Dest.Example") });
  assert(text.startsWith("From: ada@xn--bcher-kva.example\r\nTo: Bob@Dest.Example\r\n"));
  assert(!needsSmtpUtf8({ ...EMPTY, from: mailbox("ada@bücher.example") }));
  const international = { ...EMPTY, replyTo: mailbox("jörg@bücher.example") };
  assert(needsSmtpUtf8(international));
  assert(compose(international).includes("Reply-To: jörg@bücher.example\r\n"));
});

Deno.test("compose: nothing that was written becomes a field", async () => {
  const evil = "x\r\nBcc: victim@dest.example\r\n\r\nbody";
  const source = compose({
    subject: evil,
    from: [{ name: evil, address: "ada@origin.example" }],
    headers: [["X-Note", evil]],
    attachments: [{ filename: evil, type: "text/plain", content: encodeText(""), contentId: null }],
  });
  assert(!/^Bcc/m.test(source));
  const { headers } = await PostalMime.parse(source);
  assertEquals(headers.filter(({ key }) => key === "bcc"), []);
});

Deno.test("compose: fields of the draft's own are kept, also those that are made otherwise", () => {
  const source = compose({
    headers: [
      ["Message-ID", "<own@x.example>"],
      ["References", `<${"a".repeat(60)}@x> <${"b".repeat(60)}@x>`],
      ["X-Größe".replace("ö", "o").replace("ß", "ss"), "Größe"],
    ],
  });
  assertEquals(source.match(/^Message-ID/gm)?.length, 1);
  assert(source.includes("<own@x.example>"));
  assert(source.includes(`<${"a".repeat(60)}@x>\r\n <${"b".repeat(60)}@x>`));
  assert(source.includes("X-Grosse: =?utf-8?B?"));
});

const REFUSED: Readonly<Record<string, Partial<Draft>>> = {
  "no author": { from: [] },
  "a field that the draft has a key for": { headers: [["To", "x@y.example"]] },
  "a field of the relay's": { headers: [["Received", "from x"]] },
  "a field of the form": { headers: [["Content-Type", "text/plain"]] },
  "a name that is none": { headers: [["X Y", "1"]] },
  "a name that ends its line": { headers: [["X\r\nBcc", "1"]] },
  "two message ids": { headers: [["Message-ID", "<a@b>"], ["message-id", "<c@d>"]] },
  "a reply address given twice": {
    replyTo: [{ name: "", address: "a@b.example" }],
    headers: [["Reply-To", "c@d.example"]],
  },
  "a reference that is not ASCII": { headers: [["References", "<größe@x>"]] },
  "a word that no line holds": { headers: [["List-Unsubscribe", `<${"x".repeat(1000)}>`]] },
  "a media type with a line break": {
    attachments: [{
      filename: "",
      type: "text/plain\r\nX: y",
      content: encodeText(""),
      contentId: null,
    }],
  },
  "a content id with brackets": {
    attachments: [{ filename: "", type: "image/png", content: encodeText(""), contentId: "a>b" }],
  },
};
for (const [what, draft] of Object.entries(REFUSED)) {
  Deno.test(`compose: ${what} is refused`, () => {
    assertEquals(composeMessage({ ...EMPTY, ...draft }, CONTEXT).kind, "refused");
  });
}
