import { assertEquals } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { buildDsn } from "../../src/mail/dsn.ts";
import { havePeer, runPeer } from "../support/peers.ts";

const READ_REPORT = `
import email, email.policy, json, sys
message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
def walk(part):
    return [str(defect) for defect in part.defects] + [
        found for child in (part.get_payload() if part.is_multipart() else []) for found in walk(child)]
text, status, original = message.iter_parts()
print(json.dumps({
    "defects": walk(message),
    "types": [part.get_content_type() for part in message.iter_parts()],
    "reportType": message.get_param("report-type"),
    "text": text.get_content().splitlines()[2],
    "groups": [dict(group.items()) for group in status.get_payload()],
    "subject": original.get_payload(0)["subject"],
}))
`;

Deno.test({
  name: "Python's email package reads a notification without defects (needs python3)",
  ignore: !havePeer("python3"),
  fn: async () => {
    const nowMs = Date.UTC(2025, 6, 1, 9, 5, 0);
    const { bytes } = buildDsn({
      id: "01JZ0000000000N1",
      to: "ann@example.org",
      reportingMta: "relay.example.org",
      nowMs,
      about: { id: "M1", arrivedAtMs: nowMs, subject: "Grüße", messageId: "", smtpUtf8: false },
      recipients: [{
        mailbox: "bob@example.com",
        action: "failed",
        status: "5.2.2",
        reply: { code: 552, enhanced: "5.2.2", lines: [`Full ${"very ".repeat(40)}full`] },
        remote: { host: "mx.example.com", address: "192.0.2.1" },
        lastAttemptAtMs: nowMs,
      }],
      original: {
        bytes: encodeText("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHällo\r\n"),
        whole: true,
        full: true,
      },
    });
    const { stdout } = await runPeer("python3", { args: ["-c", READ_REPORT], stdin: bytes });
    const date = "Tue, 01 Jul 2025 09:05:00 +0000";
    assertEquals(JSON.parse(stdout), {
      defects: [],
      types: ["text/plain", "message/delivery-status", "message/rfc822"],
      reportType: "delivery-status",
      text: "Your message could not be delivered, and will not be tried again, to:",
      groups: [{
        "Reporting-MTA": "dns; relay.example.org",
        "X-Posthouse-Queue-Id": "M1",
        "Arrival-Date": date,
      }, {
        "Final-Recipient": "rfc822; bob@example.com",
        "Action": "failed",
        "Status": "5.2.2",
        "Remote-MTA": "dns; mx.example.com",
        "Diagnostic-Code": `smtp; 552 5.2.2 Full ${"very ".repeat(40)}full`,
        "Last-Attempt-Date": date,
      }],
      subject: "Grüße",
    });
  },
});
