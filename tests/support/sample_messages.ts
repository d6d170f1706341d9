/** Messages for tests that follow octets through the relay. */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";

const encoder = new TextEncoder();

/** A message with the usual header fields and these lines as its body, each ended by CRLF. */
export function sampleMessage(
  { subject = "sample", lines = ["Hello"] }: {
    subject?: string;
    lines?: readonly string[];
  } = {},
): Uint8Array {
  const fields = [
    "From: Sender <sender@source.test>",
    "To: User <user@sink.test>",
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(/[^\w.-]/g, "")}@source.test>`,
    "Date: Thu, 01 Jan 2026 00:00:00 +0000",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  return encoder.encode([...fields, "", ...lines, ""].join("\r\n"));
}

/** A message of about this size in lines of 78 characters. */
export function messageOfSize(sizeBytes: number, subject = "size"): Uint8Array {
  const line = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.";
  const count = Math.ceil(sizeBytes / (line.length + 2));
  return sampleMessage({ subject, lines: new Array<string>(count).fill(line) });
}

/** Messages whose octets tempt a relay to change them. */
export const AWKWARD_MESSAGES: Readonly<Record<string, Uint8Array>> = {
  "dots at the start of lines": sampleMessage({
    subject: "dots",
    lines: [".", "..", "...", ".text", "", ".", " .", "text.", "."],
  }),
  "8-bit text": sampleMessage({
    subject: "8bit",
    lines: ["Grüße aus Köln", "日本語", "\u0080\u009f\u00ff"],
  }),
  "lines of 998 octets": sampleMessage({
    subject: "long",
    lines: ["x".repeat(998), "", `.${"y".repeat(997)}`],
  }),
  "white space at the end of lines": sampleMessage({ subject: "space", lines: [" ", "\t", "a  "] }),
  "empty lines at the end": sampleMessage({ subject: "empty", lines: ["text", "", "", ""] }),
  "a header section without a body": encoder.encode(
    "From: a@source.test\r\nMessage-ID: <nobody@source.test>\r\nSubject: no body\r\n",
  ),
  "a folded and repeated header": encoder.encode(
    "From: a@source.test\r\nMessage-ID: <folded@source.test>\r\nX-Twice: one\r\n" +
      "X-Twice:  two\r\nSubject: folded\r\n\tonce\r\n  twice\r\n\r\ntext\r\n",
  ),
  "control characters": sampleMessage({
    subject: "control",
    lines: ["\x01\x07\x0b\x0c\x1b[1m\x7f"],
  }),
  "a body above the spool threshold": messageOfSize(1_500_000, "spool"),
};

/** Asserts that `received` is `sent` behind `hops` added Received fields (RFC 5321 4.4). */
export function assertOnlyTraceAdded(
  { received, sent, hops = 1 }: { received: Uint8Array; sent: Uint8Array; hops?: number },
): void {
  let rest = Buffer.from(received.buffer, received.byteOffset, received.length);
  for (let hop = 0; hop < hops; hop++) rest = rest.subarray(traceFieldLength(rest));
  if (rest.equals(sent)) return;
  assertEquals(rest.toString("latin1"), Buffer.from(sent).toString("latin1"));
}

/** The octets of the Received field that a message begins with, its folded lines included. */
function traceFieldLength(message: Buffer): number {
  assert(message.toString("latin1", 0, 10) === "Received: ", "the message begins with Received");
  for (let from = 0;;) {
    const end = message.indexOf("\r\n", from) + 2;
    assert(end >= 2, "the Received field ends");
    const next = message[end];
    if (next !== 0x20 && next !== 0x09) return end;
    from = end;
  }
}
