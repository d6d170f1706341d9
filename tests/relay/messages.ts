/** Messages as real programs write them, and jobs made of them. */
import type { DeliveryJob, MessageBody } from "../../src/delivery/transport.ts";
import { encodeText } from "../../src/base/bytes.ts";

/** What is particular about a job. */
export interface JobFacts {
  readonly recipients: readonly string[];
  readonly reversePath?: string;
  readonly smtpUtf8?: boolean;
  /** Hands the body over in pieces of this many octets instead of in memory. */
  readonly pieceBytes?: number;
  /** What the job says of its size, when it is not the truth. */
  readonly sizeBytes?: number;
  readonly lineOriented?: boolean;
}

/** A job with the octets of `message`; text is taken as UTF-8. */
export function jobOf(message: string | Uint8Array, facts: JobFacts): DeliveryJob {
  const bytes = typeof message === "string" ? encodeText(message) : message;
  return {
    message: {
      id: "0Q8XYZ0000000001",
      receivedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      reversePath: facts.reversePath ?? "bounces@sender.example",
      body: "8BITMIME",
      smtpUtf8: facts.smtpUtf8 ?? false,
      origin: { listener: "in", clientAddress: "", clientPort: 0, helo: "", protocol: "ESMTP" },
      facts: {
        sizeBytes: bytes.length,
        eightBit: bytes.some((octet) => octet > 127),
        dotLines: 0,
        longestLineBytes: longestLine(bytes),
        lineOriented: facts.lineOriented ?? true,
      },
      summary: { subject: "", from: "", messageId: "" },
      expiresAtMs: Date.UTC(2026, 0, 7),
    },
    recipients: facts.recipients.map((forwardPath, index) => ({
      index,
      forwardPath,
      domain: domainOf(forwardPath),
      state: "queued",
      attempts: 0,
      nextAttemptAtMs: 0,
      delayNotified: false,
      lastReply: "",
    })),
    domain: domainOf(facts.recipients[0] ?? ""),
    body: bodyOf(bytes, facts),
  };
}

function bodyOf(
  bytes: Uint8Array,
  { pieceBytes, sizeBytes = bytes.length }: JobFacts,
): MessageBody {
  const step = pieceBytes ?? Math.max(bytes.length, 1);
  return {
    sizeBytes,
    bytes: pieceBytes === undefined ? bytes : null,
    async *stream({ from = 0 } = {}) {
      for (let at = from; at < bytes.length; at += step) {
        yield await Promise.resolve(bytes.subarray(at, at + step));
      }
    },
  };
}

function domainOf(forwardPath: string): string {
  const domain = forwardPath.slice(forwardPath.lastIndexOf("@") + 1);
  return domain === "" ? "" : new URL(`http://${domain}`).hostname;
}

function longestLine(bytes: Uint8Array): number {
  let longest = 0;
  for (const line of new TextDecoder("latin1").decode(bytes).split("\r\n")) {
    longest = Math.max(longest, line.length);
  }
  return longest;
}

/** Lines of a message with the line endings of the wire. */
function mail(...lines: string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

const HEAD = [
  "From: =?utf-8?q?J=C3=B6rg?= Sender <joerg@sender.example>",
  'To: "Doe, Ann" <ann@one.example>, bob@two.example',
  "Date: Fri, 02 Jan 2026 03:04:05 +0000",
  "Message-ID: <m1@sender.example>",
];

/** Text alone, To and Cc, and a Bcc field that some program forgot to remove. */
export const PLAIN = mail(
  ...HEAD,
  "Cc: Carol <carol@one.example>",
  "Bcc: hidden@three.example, other@three.example",
  "Subject: =?utf-8?b?R3LDvMOfZQ==?= from the team",
  "Reply-To: Support <support@sender.example>",
  "X-Campaign: spring {{not a template}}",
  "X-Tag: invoice",
  "List-Unsubscribe: <mailto:leave@sender.example>",
  "",
  "Hello.",
  ".",
  '"quotes" \\ backslash {{braces}} and a tab\there.',
);

/** Two alternatives, an image in the HTML, and a file. */
export const RICH = mail(
  ...HEAD,
  "Subject: Report",
  "MIME-Version: 1.0",
  'Content-Type: multipart/mixed; boundary="mixed"',
  "",
  "--mixed",
  'Content-Type: multipart/related; boundary="related"',
  "",
  "--related",
  'Content-Type: multipart/alternative; boundary="alternative"',
  "",
  "--alternative",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "Gr=C3=BC=C3=9Fe",
  "--alternative",
  "Content-Type: text/html; charset=utf-8",
  "Content-Transfer-Encoding: base64",
  "",
  "PHA+R3LDvMOfZSA8aW1nIHNyYz0iY2lkOmxvZ29Ac2VuZGVyLmV4YW1wbGUiPjwvcD4=",
  "--alternative--",
  "--related",
  "Content-Type: image/png; name=logo.png",
  "Content-ID: <logo@sender.example>",
  "Content-Disposition: inline; filename=logo.png",
  "Content-Transfer-Encoding: base64",
  "",
  "iVBORw0KGgo=",
  "--related--",
  "--mixed",
  "Content-Type: application/pdf",
  "Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf",
  "Content-Transfer-Encoding: base64",
  "",
  "JVBERi0xLjQK",
  "--mixed--",
);

/** An invitation: the calendar part is an alternative. */
export const INVITATION = mail(
  ...HEAD,
  "Subject: Meeting",
  "MIME-Version: 1.0",
  "Content-Type: multipart/alternative; boundary=b",
  "",
  "--b",
  "Content-Type: text/plain",
  "",
  "Come.",
  "--b",
  "Content-Type: text/calendar; method=REQUEST; charset=utf-8",
  "",
  "BEGIN:VCALENDAR",
  "END:VCALENDAR",
  "--b--",
);

/** Signed twice: S/MIME over the parts, DKIM over the message. */
export const SIGNED = mail(
  "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; s=k; h=from:to; bh=x; b=y",
  ...HEAD,
  "Subject: Signed",
  "MIME-Version: 1.0",
  'Content-Type: multipart/signed; micalg=sha-256; protocol="application/pkcs7-signature";',
  " boundary=s",
  "",
  "--s",
  "Content-Type: text/plain",
  "",
  "Trust me.",
  "--s",
  "Content-Type: application/pkcs7-signature; name=smime.p7s",
  "Content-Transfer-Encoding: base64",
  "",
  "MIAGCSqGSIb3",
  "--s--",
);

/** A bounce: a report with the message it is about. */
export const REPORT = mail(
  "From: MAILER-DAEMON@sender.example",
  "To: ann@one.example",
  "Subject: Undelivered",
  "MIME-Version: 1.0",
  "Content-Type: multipart/report; report-type=delivery-status; boundary=r",
  "",
  "--r",
  "Content-Type: text/plain",
  "",
  "It did not arrive.",
  "--r",
  "Content-Type: message/delivery-status",
  "",
  "Reporting-MTA: dns; mx.sender.example",
  "",
  "Final-Recipient: rfc822; nobody@two.example",
  "Action: failed",
  "--r",
  "Content-Type: message/rfc822",
  "",
  "From: ann@one.example",
  "Subject: The original",
  "",
  "Text.",
  "--r--",
);

/** Text in Latin-1, eight bits wide: no UTF-8, so no JSON can hold its octets. */
export const LATIN1: Uint8Array = Uint8Array.from(
  mail(
    ...HEAD,
    "Subject: Latin",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=iso-8859-1",
    "Content-Transfer-Encoding: 8bit",
    "",
    "Gr\u00fc\u00dfe",
  ),
  (char) => char.charCodeAt(0),
);

/** Text in UTF-8, eight bits wide, with characters of two, three and four octets. */
export const UTF8 = mail(
  ...HEAD,
  "Subject: Eight bits",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: 8bit",
  "",
  "Grüße, 日本, 🙂, a separator \u2028 and a mark \ufeff.",
);

/** Every message that a raw API must carry octet for octet. */
export const RAW_MESSAGES: readonly (readonly [string, string])[] = [
  ["plain", PLAIN],
  ["rich", RICH],
  ["invitation", INVITATION],
  ["signed", SIGNED],
  ["report", REPORT],
  ["utf-8", UTF8],
];
