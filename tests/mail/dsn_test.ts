import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeText, encodeText } from "../../src/base/bytes.ts";
import { seededRandom } from "../../src/base/random.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { buildDsn } from "../../src/mail/dsn.ts";
import type { DsnRecipient, DsnRequest } from "../../src/mail/dsn_types.ts";

const NOW_MS = Date.UTC(2025, 6, 1, 9, 5, 0);
const ORIGINAL = "From: ann@example.org\r\nSubject: Report\r\n\r\nHello\r\n..\r\n";

const REFUSED: DsnRecipient = {
  mailbox: "bob@example.com",
  originalRecipient: "rfc822;Bob+2Bnews@example.com",
  action: "failed",
  status: "5.1.1",
  reply: { code: 550, enhanced: "5.1.1", lines: ["No such mailbox", "Try another"] },
  remote: { host: "mx.example.com", address: "192.0.2.1" },
  lastAttemptAtMs: NOW_MS,
};

const DELAYED: DsnRecipient = {
  mailbox: "carol@example.net",
  action: "delayed",
  status: "4.4.1",
  reply: { code: 451, enhanced: "4.4.1", lines: ["Nobody answers at mx.example.net"] },
  remote: null,
  lastAttemptAtMs: NOW_MS,
  willRetryUntilMs: NOW_MS + 4 * 86_400_000,
};

function request(changes: Partial<DsnRequest> = {}): DsnRequest {
  return {
    id: "01JZ0000000000N1",
    to: "ann@example.org",
    reportingMta: "relay.example.org",
    nowMs: NOW_MS,
    about: {
      id: "01JZ0000000000M1",
      arrivedAtMs: NOW_MS - 60_000,
      subject: "Report",
      messageId: "<1@example.org>",
      envid: "QQ+2B314",
      smtpUtf8: false,
    },
    recipients: [REFUSED],
    original: { bytes: encodeText(ORIGINAL), whole: true, full: true },
    ...changes,
  };
}

function textOf(changes: Partial<DsnRequest> = {}): string {
  return decodeText(buildDsn(request(changes)).bytes);
}

/** The parts with their fields, the CRLF that belongs to the boundary taken away. */
function partsOf(text: string): string[] {
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? "";
  const parts = text.split(`\r\n--${boundary}`);
  assertEquals(parts.pop(), "--\r\n");
  return parts.slice(1).map((part) => part.slice(2));
}

function contentOf(part: string | undefined): string {
  return part?.slice(part.indexOf("\r\n\r\n") + 4) ?? "";
}

for (const [name, recipients] of [["failed", [REFUSED]], ["mixed", [DELAYED, REFUSED]]] as const) {
  Deno.test(`a notification reads as tests/corpus/dsn/${name}.eml`, async () => {
    const golden = await Deno.readTextFile(
      new URL(`../corpus/dsn/${name}.eml`, import.meta.url),
    );
    assertEquals(textOf({ recipients }).replaceAll("\r\n", "\n"), golden);
  });
}

Deno.test("the message comes back octet for octet", () => {
  assertEquals(contentOf(partsOf(textOf())[2]), ORIGINAL);
});

Deno.test("only the header comes back where the message is large, odd or not asked for", () => {
  const header = ORIGINAL.slice(0, ORIGINAL.indexOf("\r\n\r\n") + 2);
  const originals = [
    { bytes: encodeText(ORIGINAL), whole: true, full: false },
    { bytes: encodeText(ORIGINAL), whole: false, full: true },
    { bytes: encodeText(`${ORIGINAL}bare\nline\r\n`), whole: true, full: true },
    { bytes: encodeText(`${ORIGINAL}${"x".repeat(999)}\r\n`), whole: true, full: true },
    { bytes: encodeText(`${ORIGINAL}\0\r\n`), whole: true, full: true },
    { bytes: encodeText(`${ORIGINAL}no end`), whole: true, full: true },
  ];
  for (const original of originals) {
    const part = partsOf(textOf({ original }))[2];
    assertStringIncludes(part ?? "", "Content-Type: text/rfc822-headers\r\n");
    assertEquals(contentOf(part), header);
  }
});

Deno.test("a header with illegal lines comes back with legal ones", () => {
  const bytes = encodeText(`A: 1\nB: ${"x".repeat(3000)}\r\nC: a\rb\0c\r\n\r\nbody\r\n`);
  const part = partsOf(textOf({ original: { bytes, whole: true, full: false } }))[2];
  assertEquals(contentOf(part), `A: 1\r\nB: ${"x".repeat(995)}\r\nC: abc\r\n`);
});

Deno.test("without the octets of the message there are two parts", () => {
  assertEquals(partsOf(textOf({ original: null })).length, 2);
});

Deno.test("an 8-bit message makes an 8-bit notification", () => {
  const bytes = encodeText("Subject: x\r\n\r\nGrüße\r\n");
  const dsn = buildDsn(request({ original: { bytes, whole: true, full: true } }));
  assertEquals([dsn.body, dsn.smtpUtf8], ["8BITMIME", false]);
  const text = decodeText(dsn.bytes);
  assertMatch(text, /^Content-Transfer-Encoding: 8bit\r\n\r\n--/m);
  assertStringIncludes(
    partsOf(text)[2] ?? "",
    "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit",
  );
});

Deno.test("internationalised addresses get the forms of RFC 6533", () => {
  const recipient = {
    ...REFUSED,
    mailbox: "jörg@bücher.example",
    originalRecipient: "utf-8;j\\x{F6}rg@b\\x{FC}cher.example",
  };
  const bytes = encodeText("Subject: Grüße\r\n\r\nx\r\n");
  const about = { ...request().about, smtpUtf8: true };
  const changes = { about, recipients: [recipient], original: { bytes, whole: true, full: true } };
  const text = textOf(changes);
  assertStringIncludes(text, "report-type=global-delivery-status;");
  const [, status, message] = partsOf(text);
  assertStringIncludes(status ?? "", "Content-Type: message/global-delivery-status\r\n");
  assertStringIncludes(status ?? "", "Original-Recipient: utf-8;jörg@bücher.example\r\n");
  assertStringIncludes(status ?? "", "Final-Recipient: utf-8; jörg@bücher.example\r\n");
  assertStringIncludes(message ?? "", "Content-Type: message/global\r\n");
  assertEquals(buildDsn(request(changes)).smtpUtf8, false);
  assertEquals(buildDsn(request({ ...changes, to: "é@example.org" })).smtpUtf8, true);
});

Deno.test("a plain delivery report holds ASCII only", () => {
  const reply = { code: 550, lines: ["Boîte pleine €"] };
  const [text, status] = partsOf(textOf({ recipients: [{ ...REFUSED, reply }] }));
  assertStringIncludes(status ?? "", "Diagnostic-Code: smtp; 550 Bo?te pleine ?\r\n");
  assertStringIncludes(text ?? "", "said: 550 Bo=C3=AEte pleine =E2=82=AC");
});

Deno.test("a boundary that the message contains is not used", () => {
  const text = textOf();
  const used = /boundary="([^"]+)"/.exec(text)?.[1];
  const bytes = encodeText(`Subject: x\r\n\r\n--${used}\r\n`);
  const other = textOf({ original: { bytes, whole: true, full: true } });
  assert(/boundary="([^"]+)"/.exec(other)?.[1] !== used);
  assertEquals(partsOf(other).length, 3);
});

Deno.test("a long list is explained in part and reported in full", () => {
  const recipients = Array.from({ length: 500 }, (_, at) => ({
    ...REFUSED,
    mailbox: `user${at}@example.com`,
  }));
  const [text, status] = partsOf(textOf({ recipients }));
  assertStringIncludes(text ?? "", "... and 450 more");
  assertEquals(status?.match(/^Final-Recipient:/gm)?.length, 500);
});

Deno.test("whatever the remote says, lines are legal and no field or part is added", () => {
  const random = seededRandom(1);
  const alphabet = ["\r", "\n", "\r\n", "\0", " ", "\t", "--", "=_", ":", "a", "ü", "\u2028", "😀"];
  const anyText = (): string => {
    const length = Math.floor(random.float() ** 3 * 3000);
    const pick = (): string => alphabet[Math.floor(random.float() * alphabet.length)] ?? "";
    return Array.from({ length }, pick).join("");
  };
  for (let round = 0; round < 150; round++) {
    const recipient: DsnRecipient = {
      ...REFUSED,
      mailbox: `${anyText()}@example.com`,
      originalRecipient: `rfc822;${anyText()}`,
      reply: { code: 550, enhanced: "5.7.1", lines: [anyText(), anyText()] },
      remote: { host: anyText(), address: "192.0.2.1" },
    };
    const about = {
      ...request().about,
      subject: anyText(),
      messageId: anyText(),
      envid: anyText(),
    };
    const original = { bytes: encodeText(anyText()), whole: true, full: true };
    const { bytes } = buildDsn(request({ recipients: [recipient], about, original }));
    const { lineOriented, longestLineBytes } = bodyFacts(bytes);
    assert(lineOriented && longestLineBytes <= 998, `round ${round}`);
    const [, status] = partsOf(decodeText(bytes));
    const names = contentOf(status).split("\r\n").filter((line) => /^[^ ]/.test(line))
      .map((line) => line.slice(0, line.indexOf(":")));
    assertEquals(names, STATUS_FIELDS, `round ${round}`);
  }
});

const STATUS_FIELDS = [
  "Original-Envelope-Id",
  "Reporting-MTA",
  "X-Posthouse-Queue-Id",
  "Arrival-Date",
  "Original-Recipient",
  "Final-Recipient",
  "Action",
  "Status",
  "Remote-MTA",
  "Diagnostic-Code",
  "Last-Attempt-Date",
];
