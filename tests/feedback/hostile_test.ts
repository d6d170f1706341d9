import { assertEquals } from "@std/assert";
import { type Meaning, meaningOf } from "../../src/feedback/meaning.ts";
import { readInPieces } from "./corpus.ts";

// Whoever knows a bounce mailbox may send anything to it. Work that grows with the square of the
// length would keep these from ending while anybody waits.

const PIECE_BYTES = 64 * 1024;

async function meaningOfText(text: string): Promise<Meaning> {
  return meaningOf(
    await readInPieces(new TextEncoder().encode(text), PIECE_BYTES),
  );
}

function kindsIn(meaning: Meaning): string[] {
  return "findings" in meaning ? meaning.findings.map(({ kind }) => kind) : [];
}

const MARKUP: Readonly<Record<string, string>> = {
  "tags that nobody closes": "<br ".repeat(16_000),
  "nothing but angle brackets": "<".repeat(64_000),
  "addresses that nobody closes": "<a@".repeat(21_000),
};

for (const [what, html] of Object.entries(MARKUP)) {
  Deno.test(`hostile report: HTML with ${what}`, async () => {
    const meaning = await meaningOfText(
      `From: MAILER-DAEMON@mx.test\r\nSubject: failure notice\r\nContent-Type: text/html\r\n\r\n${html}`,
    );
    assertEquals(meaning.kind, "bounce");
  });
}

Deno.test("hostile report: a thousand recipients and a long text", async () => {
  const groups = Array.from(
    { length: 1_000 },
    (_, index) =>
      [
        `Final-Recipient: rfc822; u${index}@b.test`,
        "Action: failed",
        "Status: 5.1.1",
        "",
        "",
      ]
        .join("\r\n"),
  );
  const meaning = await meaningOfText([
    ...[
      'Content-Type: multipart/report; boundary="b"',
      "",
      "--b",
      "",
      "\n".repeat(60_000),
    ],
    ...[
      "--b",
      "Content-Type: message/delivery-status",
      "",
      groups.join(""),
      "--b--",
      "",
    ],
  ].join("\r\n"));
  assertEquals(
    kindsIn(meaning).filter((kind) => kind === "bounced").length,
    1_000,
  );
});

Deno.test("hostile report: what stands behind a thousand parts is not read", async () => {
  const meaning = await meaningOfText([
    ...[
      'Content-Type: multipart/report; boundary="b"',
      "",
      "--b\r\n\r\n".repeat(400_000) + "--b",
    ],
    ...[
      "Content-Type: message/delivery-status",
      "",
      "Final-Recipient: rfc822; a@b.test",
    ],
    ...["Action: failed", "Status: 5.1.1", "", "--b--", ""],
  ].join("\r\n"));
  assertEquals(meaning.kind, "unclear");
});

Deno.test("hostile report: parts in parts in parts, and messages in messages", async () => {
  const deep = Array.from(
    { length: 1_000 },
    (_, depth) => `Content-Type: multipart/mixed; boundary="b${depth}"\r\n\r\n--b${depth}\r\n`,
  );
  assertEquals(
    (await meaningOfText(`From: a@b.test\r\n${deep.join("")}`)).kind,
    "unclear",
  );
  const messages = "Content-Type: message/rfc822\r\n\r\n".repeat(50_000);
  assertEquals(
    (await meaningOfText(`From: a@b.test\r\n${messages}`)).kind,
    "unclear",
  );
});
