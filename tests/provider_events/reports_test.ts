/** Events as the providers' documentation shows them, shortened, and what they mean. */
import { assert, assertEquals } from "@std/assert";
import { mailgunReports } from "../../src/provider_events/mailgun/reports.ts";
import { postmarkReports } from "../../src/provider_events/postmark/reports.ts";
import { resendReports } from "../../src/provider_events/resend/reports.ts";
import { sendgridReports } from "../../src/provider_events/sendgrid/reports.ts";
import { sesReports } from "../../src/provider_events/ses/reports.ts";
import type { ProviderReport, Reading } from "../../src/provider_events/source.ts";

function reportsOf(reading: Reading): readonly ProviderReport[] {
  assert(reading.kind === "reports", reading.kind);
  return reading.reports;
}

/** `kind mailbox`, of each. */
function told(reading: Reading): string[] {
  return reportsOf(reading).map(({ kind, recipient }) => `${kind} ${recipient}`);
}

const ALICE = "alice@example.com";

function mailgun(event: Record<string, unknown>): Reading {
  return mailgunReports({
    signature: {},
    "event-data": {
      recipient: ALICE,
      message: { headers: { "message-id": "20130503182626.18666.16540@example.com" } },
      "user-variables": { posthouse_id: "01Q" },
      ...event,
    },
  }, { token: "t" });
}

Deno.test("mailgun: what its events mean", () => {
  const rows: [Record<string, unknown>, string[]][] = [
    [{ event: "delivered" }, ["delivered"]],
    [{ event: "failed", severity: "temporary", reason: "generic" }, ["deferred"]],
    [{ event: "failed", severity: "permanent", reason: "bounce" }, ["bounced"]],
    [{ event: "failed", severity: "permanent", reason: "suppress-bounce" }, ["bounced"]],
    [{ event: "failed", severity: "permanent", reason: "suppress-complaint" }, ["bounced"]],
    [{ event: "failed", severity: "permanent", reason: "suppress-unsubscribe" }, ["bounced"]],
    [{ event: "failed", severity: "permanent", reason: "old" }, ["soft_bounced"]],
    [{ event: "failed", severity: "permanent", reason: "generic" }, ["soft_bounced"]],
    [
      {
        ...{ event: "failed", severity: "permanent", reason: "bounce" },
        "delivery-status": { "bounce-type": "soft" },
      },
      ["soft_bounced"],
    ],
    [{ event: "rejected", reject: { reason: "Sandbox" } }, ["soft_bounced"]],
    [{ event: "complained" }, ["complained"]],
    [{ event: "unsubscribed" }, ["unsubscribed"]],
    [{ event: "opened" }, []],
    [{ event: "clicked" }, []],
    [{ event: "accepted" }, []],
    [{ event: "something new" }, []],
  ];
  for (const [event, kinds] of rows) {
    assertEquals(told(mailgun(event)), kinds.map((kind) => `${kind} ${ALICE}`));
  }
  assertEquals(mailgun({}).kind, "malformed");
});

Deno.test("mailgun: which message, and why", () => {
  const [report] = reportsOf(mailgun({
    ...{ event: "failed", severity: "permanent", reason: "bounce" },
    "delivery-status": { code: 550, message: "5.1.1 The email account does not exist" },
  }));
  assertEquals(report, {
    ...{ key: "t", kind: "bounced", recipient: ALICE, queueId: "01Q" },
    remoteId: "mailgun:<20130503182626.18666.16540@example.com>",
    reason: "550 5.1.1 The email account does not exist",
  });
});

const SENDGRID = {
  ...{ email: ALICE, timestamp: 1513299569, "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>" },
  sg_message_id: "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
};

function sendgrid(...events: Record<string, unknown>[]): Reading {
  return sendgridReports(events.map((event, index) => ({
    ...SENDGRID,
    sg_event_id: `e${index}`,
    ...event,
  })));
}

Deno.test("sendgrid: what its events mean", () => {
  const rows: [Record<string, unknown>, string | null][] = [
    [{ event: "delivered", response: "250 OK" }, "delivered"],
    [{ event: "deferred", response: "400 try again later", attempt: "5" }, "deferred"],
    [{ event: "bounce", type: "bounce", status: "5.0.0", reason: "500 unknown" }, "bounced"],
    [{ event: "bounce", status: "5.0.0", reason: "500 unknown recipient" }, "bounced"],
    [{ event: "bounce", type: "blocked", reason: "550 spam" }, "soft_bounced"],
    [{ event: "bounce", type: "expired" }, "soft_bounced"],
    [{ event: "dropped", reason: "Bounced Address", status: "5.0.0" }, "bounced"],
    [{ event: "dropped", reason: "Unsubscribed Address" }, "bounced"],
    [{ event: "dropped", reason: "Spam Reporting Address" }, "bounced"],
    [{ event: "dropped", reason: "Invalid" }, "bounced"],
    [{ event: "dropped", reason: "Spam Content (if spam checker app enabled)" }, "soft_bounced"],
    [{ event: "spamreport" }, "complained"],
    [{ event: "unsubscribe" }, "unsubscribed"],
    [{ event: "group_unsubscribe", asm_group_id: 10 }, null],
    [{ event: "group_resubscribe", asm_group_id: 10 }, null],
    [{ event: "processed" }, null],
    [{ event: "open" }, null],
    [{ event: "click" }, null],
  ];
  const reports = reportsOf(sendgrid(...rows.map(([event]) => event)));
  const expected = rows.flatMap(([, kind], index) => kind === null ? [] : [`e${index} ${kind}`]);
  assertEquals(reports.map(({ key, kind }) => `${key} ${kind}`), expected);
});

Deno.test("sendgrid: a batch tells each event once, and which message it is of", () => {
  const event = { event: "bounce", type: "bounce", reason: "500 unknown", sg_event_id: "same" };
  const reports = reportsOf(sendgrid({ ...event, posthouse_id: "01Q" }, event));
  assertEquals(reports.length, 1);
  assertEquals(reports[0]?.remoteId, "sendgrid:14c5d75ce93");
  assertEquals(reportsOf(sendgrid({ ...event, posthouse_id: "01Q" }))[0]?.queueId, "01Q");
  assertEquals(sendgridReports({}).kind, "malformed");
  assertEquals(told(sendgridReports([null, 7, {}, { event: "bounce" }])), ["bounced null"]);
});

function postmark(event: Record<string, unknown>): Reading {
  return postmarkReports({
    ...{ MessageID: "883953f4-6105-42a2-a16a-77a8eac79483", Metadata: { posthouse_id: "01Q" } },
    ...(event["RecordType"] === "Bounce" ? { ID: 42, Email: ALICE } : { Recipient: ALICE }),
    ...event,
  });
}

Deno.test("postmark: what its events mean", () => {
  const bounce = (Type: string, Inactive = false) => ({ RecordType: "Bounce", Type, Inactive });
  const change = { RecordType: "SubscriptionChange", SuppressSending: true };
  const rows: [Record<string, unknown>, string | null][] = [
    [{ RecordType: "Delivery", Details: "Test delivery" }, "delivered"],
    [bounce("HardBounce", true), "bounced"],
    [bounce("BadEmailAddress", true), "bounced"],
    [bounce("ManuallyDeactivated", true), "bounced"],
    [bounce("SoftBounce"), "soft_bounced"],
    [bounce("Blocked"), "soft_bounced"],
    [bounce("SpamNotification"), "soft_bounced"],
    [bounce("DMARCPolicy"), "soft_bounced"],
    [bounce("Transient"), "deferred"],
    [bounce("DnsError"), "deferred"],
    [bounce("SpamComplaint", true), "complained"],
    [bounce("Unsubscribe"), "unsubscribed"],
    ...[
      ...["AutoResponder", "AddressChange", "ChallengeVerification"],
      ...["OpenRelayTest", "Subscribe", "InboundError"],
    ].map((type): [Record<string, unknown>, null] => [bounce(type), null]),
    [bounce("toString"), "soft_bounced"],
    [{ RecordType: "SpamComplaint", ID: 42, Email: ALICE }, "complained"],
    [{ ...change, SuppressionReason: "HardBounce" }, "bounced"],
    [{ ...change, SuppressionReason: "SpamComplaint" }, "complained"],
    [{ ...change, SuppressionReason: "ManualSuppression", Origin: "Recipient" }, "unsubscribed"],
    [{ ...change, SuppressionReason: "something new" }, "unsubscribed"],
    [{ ...change }, "unsubscribed"],
    [{ ...change, SuppressSending: false }, null],
    [{ RecordType: "Open" }, null],
    [{ RecordType: "Click" }, null],
  ];
  for (const [event, kind] of rows) {
    const expected = kind === null ? [] : [`${kind} ${ALICE}`];
    assertEquals(told(postmark(event)), expected, JSON.stringify(event));
  }
  assertEquals(postmarkReports({ FromFull: {} }).kind, "malformed");
});

Deno.test("postmark: which message, why, and what tells one event from another", () => {
  const event = { RecordType: "Bounce", Type: "HardBounce", Inactive: true, Details: "550 no" };
  const [report] = reportsOf(postmark(event));
  assertEquals(report, {
    ...{ key: "Bounce 42", kind: "bounced", recipient: ALICE, queueId: "01Q", reason: "550 no" },
    remoteId: "postmark:883953f4-6105-42a2-a16a-77a8eac79483",
  });
  const keyOf = (more: Record<string, unknown>) =>
    reportsOf(postmark({ RecordType: "Delivery", DeliveredAt: "2026-01-02", ...more }))[0]?.key;
  assertEquals(keyOf({}), keyOf({}));
  assert(keyOf({}) !== keyOf({ Recipient: "bob@example.com" }));
  assert(keyOf({}) !== keyOf({ DeliveredAt: "2026-01-03" }));
});

function resend(type: string, data: Record<string, unknown> = {}): Reading {
  return resendReports({
    type,
    data: { email_id: "56761188-7520", to: [`Alice <${ALICE}>`], ...data },
  }, { id: "msg_1" });
}

Deno.test("resend: what its events mean", () => {
  const bounce = (type: string, subType: string) => ({ bounce: { type, subType, message: "m" } });
  const rows: [Reading, string | null][] = [
    [resend("email.delivered"), "delivered"],
    [resend("email.delivery_delayed"), "deferred"],
    [resend("email.bounced", bounce("Permanent", "Suppressed")), "bounced"],
    [resend("email.bounced", bounce("Transient", "MailboxFull")), "soft_bounced"],
    [resend("email.bounced", bounce("Undetermined", "Undetermined")), "soft_bounced"],
    [resend("email.bounced", { bounce: { message: "m" } }), "bounced"],
    [resend("email.suppressed"), "bounced"],
    [resend("email.failed", { failed: { reason: "reached_daily_quota" } }), "soft_bounced"],
    [resend("email.complained"), "complained"],
    [resend("contact.updated", { email: ALICE, unsubscribed: true }), "unsubscribed"],
    [resend("contact.updated", { email: ALICE, unsubscribed: false }), null],
    [resend("email.sent"), null],
    [resend("email.opened"), null],
    [resend("email.clicked"), null],
    [resend("domain.created"), null],
  ];
  for (const [index, [reading, kind]] of rows.entries()) {
    const kinds = reportsOf(reading).map((report) => report.kind);
    assertEquals<readonly string[]>(kinds, kind === null ? [] : [kind], String(index));
  }
  assertEquals(resendReports([], { id: "msg_1" }).kind, "malformed");
});

Deno.test("resend: who it is about is not said", () => {
  const [report] = reportsOf(resend("email.bounced", {
    ...{ cc: ["bob@example.com"], tags: { posthouse_id: "01Q", category: "x" } },
    bounce: { type: "Permanent", message: "long", diagnosticCode: ["smtp; 550 5.5.0 no"] },
  }));
  assertEquals(report, {
    ...{ key: "msg_1", kind: "bounced", recipient: null, queueId: "01Q" },
    ...{ candidates: [ALICE, "bob@example.com"], remoteId: "resend:56761188-7520" },
    reason: "smtp; 550 5.5.0 no",
  });
  const [contact] = reportsOf(resend("contact.updated", { email: ALICE, unsubscribed: true }));
  assertEquals(contact?.recipient, ALICE);
});

const SES_MAIL = {
  timestamp: "2016-10-14T05:02:16.645Z",
  messageId: "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
  destination: [ALICE, "bob@example.com"],
  tags: { "ses:configuration-set": ["ConfigSet"], posthouse_id: ["01Q"] },
};

function ses(event: Record<string, unknown>): Reading {
  return sesReports({ id: "sns-1", text: JSON.stringify({ mail: SES_MAIL, ...event }) });
}

Deno.test("ses: what its events mean", () => {
  const bouncedRecipients = [{ emailAddress: ALICE, diagnosticCode: "smtp; 550 5.1.1 unknown" }];
  const bounce = (bounceType: string) => ({
    bounceType,
    bounceSubType: "General",
    bouncedRecipients,
  });
  const complainedRecipients = [{ emailAddress: ALICE }];
  const rows: [Record<string, unknown>, string[]][] = [
    [{ eventType: "Bounce", bounce: bounce("Permanent") }, [`bounced ${ALICE}`]],
    [{ notificationType: "Bounce", bounce: bounce("Permanent") }, [`bounced ${ALICE}`]],
    [{ eventType: "Bounce", bounce: bounce("Transient") }, [`soft_bounced ${ALICE}`]],
    [{ eventType: "Bounce", bounce: bounce("Undetermined") }, [`soft_bounced ${ALICE}`]],
    [
      {
        eventType: "Complaint",
        complaint: { complainedRecipients, complaintFeedbackType: "abuse" },
      },
      [`complained ${ALICE}`],
    ],
    [
      {
        eventType: "Complaint",
        complaint: { complainedRecipients, complaintFeedbackType: "not-spam" },
      },
      [],
    ],
    [
      { eventType: "Delivery", delivery: { recipients: [ALICE], smtpResponse: "250 2.6.0" } },
      [`delivered ${ALICE}`],
    ],
    [
      {
        eventType: "DeliveryDelay",
        deliveryDelay: {
          delayType: "TransientCommunicationFailure",
          delayedRecipients: [{ emailAddress: ALICE }],
        },
      },
      [`deferred ${ALICE}`],
    ],
    [
      { eventType: "Reject", reject: { reason: "Bad content" } },
      [`soft_bounced ${ALICE}`, "soft_bounced bob@example.com"],
    ],
    [
      {
        eventType: "Subscription",
        subscription: { newTopicPreferences: { unsubscribeAll: true } },
      },
      [`unsubscribed ${ALICE}`, "unsubscribed bob@example.com"],
    ],
    [
      { eventType: "Rendering Failure", failure: { errorMessage: "no name" } },
      [`soft_bounced ${ALICE}`, "soft_bounced bob@example.com"],
    ],
    [{ eventType: "Subscription", subscription: { newTopicPreferences: {} } }, []],
    [{ eventType: "Send", send: {} }, []],
    [{ eventType: "Open", open: {} }, []],
    [{ eventType: "Click", click: {} }, []],
  ];
  for (const [event, expected] of rows) {
    assertEquals(told(ses(event)), expected, JSON.stringify(event));
  }
  assertEquals(ses({}).kind, "malformed");
  const text = "Successfully validated SNS topic for Amazon SES event publishing.";
  assertEquals(told(sesReports({ id: "1", text })), []);
});

Deno.test("ses: which message, and why", () => {
  const [report] = reportsOf(ses({
    eventType: "Bounce",
    bounce: {
      ...{ bounceType: "Permanent", bounceSubType: "OnAccountSuppressionList" },
      bouncedRecipients: [{ emailAddress: ALICE }],
    },
  }));
  assertEquals(report, {
    ...{ key: "sns-1 0", kind: "bounced", recipient: ALICE, queueId: "01Q" },
    remoteId: `ses:${SES_MAIL.messageId}`,
    reason: "Permanent OnAccountSuppressionList",
  });
});

Deno.test("why: what the provider says of it, the most exact first, else nothing", () => {
  const failed = { event: "failed", severity: "permanent", reason: "generic" };
  const bounce = { eventType: "Bounce" };
  const bounced = (...bouncedRecipients: unknown[]) => ({
    bounce: { bounceType: "Transient", bouncedRecipients },
  });
  const rows: [Reading, readonly string[]][] = [
    [mailgun({ ...failed, "delivery-status": { code: 550, message: "550 no" } }), ["550 no"]],
    [mailgun({ ...failed, "delivery-status": { code: 0, message: "no" } }), ["no"]],
    [mailgun({ ...failed, "delivery-status": { description: "gone" } }), ["gone"]],
    [mailgun({ event: "rejected", reject: { reason: "Sandbox" } }), ["Sandbox"]],
    [mailgun(failed), ["generic"]],
    [mailgun({ event: "delivered" }), [""]],
    [sendgrid({ event: "bounce", reason: "500 unknown", response: "x" }), ["500 unknown"]],
    [sendgrid({ event: "deferred", response: "400 later" }), ["400 later"]],
    [sendgrid({ event: "spamreport" }), [""]],
    [postmark({ RecordType: "Bounce", Details: "550 no", Description: "x" }), ["550 no"]],
    [postmark({ RecordType: "Bounce", Description: "No mailbox" }), ["No mailbox"]],
    [
      postmark({
        RecordType: "SubscriptionChange",
        SuppressSending: true,
        SuppressionReason: "HardBounce",
      }),
      ["HardBounce"],
    ],
    [postmark({ RecordType: "Delivery" }), [""]],
    [resend("email.bounced", { bounce: { message: "m", diagnosticCode: [] } }), ["m"]],
    [resend("email.suppressed", { suppressed: { message: "on the list" } }), ["on the list"]],
    [resend("email.failed", { failed: { reason: "quota" } }), ["quota"]],
    [resend("email.complained"), [""]],
    [
      ses({
        ...bounce,
        ...bounced({ emailAddress: ALICE, diagnosticCode: "smtp; 450 full" }, {}, {
          emailAddress: "bob@example.com",
        }),
      }),
      ["smtp; 450 full", "Transient"],
    ],
    [
      ses({
        eventType: "Complaint",
        complaint: {
          complainedRecipients: [{ emailAddress: ALICE }],
          complaintFeedbackType: "abuse",
        },
      }),
      ["abuse"],
    ],
    [
      ses({
        eventType: "Complaint",
        complaint: { complainedRecipients: [{ emailAddress: ALICE }] },
      }),
      ["complaint"],
    ],
    [
      ses({ eventType: "Delivery", delivery: { recipients: [ALICE], smtpResponse: "250 ok" } }),
      ["250 ok"],
    ],
    [ses({ eventType: "Delivery", delivery: { recipients: [ALICE] } }), [""]],
    [
      ses({
        eventType: "DeliveryDelay",
        deliveryDelay: { delayType: "MailboxFull", delayedRecipients: [{ emailAddress: ALICE }] },
      }),
      ["MailboxFull"],
    ],
    [ses({ eventType: "Reject", reject: { reason: "Bad content" } }), [
      ...["Bad content", "Bad content"],
    ]],
    [ses({ eventType: "Rendering Failure", failure: { errorMessage: "no name" } }), [
      ...["no name", "no name"],
    ]],
  ];
  for (const [index, [reading, reasons]] of rows.entries()) {
    assertEquals(reportsOf(reading).map(({ reason }) => reason), [...reasons], String(index));
  }
});

Deno.test("which message: nothing is made up where the provider does not say", () => {
  const bare: [Reading, string][] = [
    [mailgunReports({ "event-data": { event: "delivered" } }, { token: "t" }), "mailgun"],
    [sendgridReports([{ event: "delivered" }]), "sendgrid"],
    [postmarkReports({ RecordType: "Delivery" }), "postmark"],
    [resendReports({ type: "email.delivered" }, { id: "msg" }), "resend"],
    [
      sesReports({
        id: "sns",
        text: JSON.stringify({ eventType: "Delivery", delivery: { recipients: [ALICE] } }),
      }),
      "ses",
    ],
  ];
  for (const [reading, provider] of bare) {
    const [report] = reportsOf(reading);
    assertEquals([report?.remoteId, report?.queueId], [null, null], provider);
  }
  const marked = { message: { headers: { "message-id": "<a@b>" } } };
  assertEquals(
    reportsOf(mailgun({ event: "delivered", ...marked }))[0]?.remoteId,
    "mailgun:<a@b>",
  );
  assertEquals(reportsOf(resend("email.delivered", { to: [` ${ALICE} `] }))[0]?.candidates, [
    ALICE,
  ]);
});
