/** Events with anything at all in their places: they are read, or refused, and break nothing. */
import { assert } from "@std/assert";
import { mailgunReports } from "../../src/provider_events/mailgun/reports.ts";
import { postmarkReports } from "../../src/provider_events/postmark/reports.ts";
import { resendReports } from "../../src/provider_events/resend/reports.ts";
import { sendgridReports } from "../../src/provider_events/sendgrid/reports.ts";
import { sesReports } from "../../src/provider_events/ses/reports.ts";
import { readSnsMessage } from "../../src/provider_events/ses/sns_message.ts";
import type { Reading } from "../../src/provider_events/source.ts";
import { MAILGUN_KEY, mailgunBody, snsSigner } from "./support.ts";

const NONSENSE: readonly unknown[] = [
  ...[null, true, 0, -1, 1e308, "", "x", "\u0000\r\n", "é".repeat(5_000), "__proto__", "toString"],
  ...[[], [null], [[]], {}, { length: 1 }, { toString: 1 }, ["a", 1, { b: 2 }]],
];

const READERS: Readonly<Record<string, { example: unknown; read: (json: unknown) => Reading }>> = {
  mailgun: {
    example: JSON.parse(mailgunBody({
      ...{ event: "failed", severity: "permanent", reason: "bounce", recipient: "a@x.example" },
      "delivery-status": { code: 550, message: "no", "bounce-type": "hard" },
      message: { headers: { "message-id": "1@x" } },
      "user-variables": { posthouse_id: "01" },
    }, { key: MAILGUN_KEY })),
    read: (json) => mailgunReports(json, { token: "t" }),
  },
  sendgrid: {
    example: [{
      ...{ event: "bounce", type: "bounce", email: "a@x.example", reason: "no" },
      ...{ sg_event_id: "1", sg_message_id: "1.x", posthouse_id: "01" },
    }],
    read: sendgridReports,
  },
  postmark: {
    example: {
      ...{ RecordType: "Bounce", ID: 1, Type: "HardBounce", Inactive: true, Email: "a@x.example" },
      ...{ MessageID: "1", Metadata: { posthouse_id: "01" }, Details: "no" },
    },
    read: postmarkReports,
  },
  resend: {
    example: {
      type: "email.bounced",
      data: {
        ...{ email_id: "1", to: ["A <a@x.example>"], tags: { posthouse_id: "01" } },
        bounce: { type: "Permanent", message: "no", diagnosticCode: ["no"] },
      },
    },
    read: (json) => resendReports(json, { id: "1" }),
  },
  ses: {
    example: {
      eventType: "Bounce",
      mail: { messageId: "1", destination: ["a@x.example"], tags: { posthouse_id: ["01"] } },
      bounce: { bounceType: "Permanent", bouncedRecipients: [{ emailAddress: "a@x.example" }] },
    },
    read: (json) => sesReports({ id: "1", text: JSON.stringify(json) }),
  },
};

/** Every copy of `value` in which one place holds `other`. */
function* withOther(value: unknown, other: unknown): Iterable<unknown> {
  yield other;
  if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      for (const changed of withOther(element, other)) yield value.with(index, changed);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, element] of Object.entries(value)) {
      for (const changed of withOther(element, other)) yield { ...value, [key]: changed };
    }
  }
}

for (const [name, { example, read }] of Object.entries(READERS)) {
  Deno.test(`${name}: nonsense in any place breaks nothing`, () => {
    let count = 0;
    for (const other of NONSENSE) {
      for (const changed of withOther(example, other)) {
        const reading = read(changed);
        count += 1;
        assert(reading.kind === "reports" || reading.kind === "malformed");
        for (const report of reading.kind === "reports" ? reading.reports : []) {
          assert(typeof report.key === "string" && typeof report.reason === "string");
          assert(report.recipient === null || typeof report.recipient === "string");
          assert(report.queueId === null || typeof report.queueId === "string");
          assert((report.candidates ?? []).every((mailbox) => typeof mailbox === "string"));
        }
      }
    }
    assert(count > 100);
  });
}

Deno.test("ses: nonsense in any place of a message of SNS breaks nothing", () => {
  const example = snsSigner().message({ Type: "SubscriptionConfirmation", Token: "t" });
  for (const other of NONSENSE) {
    for (const changed of withOther(example, other)) {
      const message = readSnsMessage(changed);
      assert(message === null || Object.values(message).every((value) => value !== undefined));
    }
  }
});
