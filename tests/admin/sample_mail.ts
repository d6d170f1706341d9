import { encodeText } from "../../src/base/bytes.ts";
import { readHeader } from "../../src/mail/headers.ts";
import { bodyFacts } from "../../src/mail/body_facts.ts";
import { summarize } from "../../src/mail/summary.ts";
import type { NewMessage } from "../../src/queue/store.ts";
import { messageOf } from "../queue/messages.ts";

/** A PNG of one pixel. */
export const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFAAH/q842iQAAAABJRU5ErkJggg==";

/** A message with text, HTML, an inline picture and an attachment. */
export const FULL_MAIL = [
  "From: =?utf-8?Q?J=C3=BCrgen?= <j@origin.example>",
  "To: user@dest.example",
  "Subject: =?utf-8?B?R3LDvMOfZQ==?=",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="outer"',
  "",
  "--outer",
  'Content-Type: multipart/related; boundary="inner"',
  "",
  "--inner",
  'Content-Type: multipart/alternative; boundary="alt"',
  "",
  "--alt",
  "Content-Type: text/plain; charset=utf-8",
  "",
  "Hello in text",
  "--alt",
  "Content-Type: text/html; charset=utf-8",
  "",
  '<p style="color:red">Hello in <b>HTML</b></p><img src="cid:pixel@x">',
  "--alt--",
  "--inner",
  "Content-Type: image/png",
  "Content-Transfer-Encoding: base64",
  "Content-ID: <pixel@x>",
  "Content-Disposition: inline; filename=pixel.png",
  "",
  PIXEL,
  "--inner--",
  "--outer",
  "Content-Type: text/csv",
  "Content-Transfer-Encoding: base64",
  "Content-Disposition: attachment; filename*=utf-8''%E2%82%AC%20rates.csv",
  "",
  btoa("a,b\r\n1,2\r\n"),
  "--outer--",
  "",
].join("\r\n");

/** A stored message with these octets. */
export function mailOf(
  number: number,
  text: string,
  overrides: Parameters<typeof messageOf>[1] = {},
): NewMessage {
  const bytes = encodeText(text);
  return messageOf(number, {
    facts: bodyFacts(bytes),
    summary: summarize(readHeader(bytes)),
    place: { kind: "inline", bytes },
    ...overrides,
  });
}
