/** The fields of reports, one reader at a time. */
import { assertEquals } from "@std/assert";
import { parseDeliveryStatus, statusIn } from "../../src/feedback/delivery_status.ts";
import { parseFeedbackReport } from "../../src/feedback/feedback_report.ts";
import { readFieldGroups, typedText } from "../../src/feedback/field_groups.ts";

Deno.test("field groups: names in any case, values unfolded, empty lines between groups", () => {
  assertEquals(
    readFieldGroups("A: one\r\n two\r\nb :x\r\nno field\r\n\r\n \t\r\nC:y: z\n\nD:\n"),
    [[["a", "one two"], ["b", "x"]], [["c", "y: z"]], [["d", ""]]],
  );
  assertEquals(readFieldGroups(" : x\r\n: y\r\na b: z\r\n\r\n"), []);
});

Deno.test("field groups: 1,000 groups, 200 fields of each and 2,000 characters of a value are read", () => {
  const groups = readFieldGroups("a: b\r\n\r\n".repeat(1_001));
  assertEquals(groups.length, 1_000);
  assertEquals(readFieldGroups("a: b\r\n".repeat(201))[0]?.length, 200);
  // The space after the colon is one of them.
  assertEquals(readFieldGroups(`a: ${"x".repeat(3_000)}`)[0]?.[0]?.[1].length, 1_999);
});

Deno.test("typed text: type and text, with or without a comment between", () => {
  assertEquals(typedText("RFC822 ; <a@b.test>"), { type: "rfc822", text: "<a@b.test>" });
  assertEquals(typedText("dns (a; b) ;  mx.test "), { type: "dns", text: "mx.test" });
  assertEquals(typedText("no type here"), { type: "", text: "no type here" });
  assertEquals([typedText(""), typedText(null)], [null, null]);
});

const STATUS = [
  "Original-Envelope-Id: a+2Bb",
  "Reporting-MTA: dns; mx.test",
  "DSN-Gateway: dns; gw.test",
  "Received-From-MTA: dns; from.test",
  "Arrival-Date: Thu, 1 Jan 2026 00:00:00 +0000",
  "X-Queue-Id: 1",
  "",
  "Original-Recipient: utf-8; \\x{FC}@dest.test",
  "Final-Recipient: rfc822; <u@dest.test>",
  "Action: Failed (for good)",
  "Status: 5.1.1 (no such mailbox)",
  "Remote-MTA: dns; remote.test",
  "Diagnostic-Code: smtp; 550 no",
  "Last-Attempt-Date: today",
  "Final-Log-Id: 7",
  "Will-Retry-Until: tomorrow",
  "X-More: 2",
  "Reporting-MTA: dns; repeated.test",
].join("\r\n");

Deno.test("delivery status: every field of RFC 3464, and what else there is", () => {
  assertEquals(parseDeliveryStatus(STATUS), {
    originalEnvelopeId: "a+b",
    reportingMta: { type: "dns", text: "mx.test" },
    dsnGateway: { type: "dns", text: "gw.test" },
    receivedFromMta: { type: "dns", text: "from.test" },
    arrivalDate: "Thu, 1 Jan 2026 00:00:00 +0000",
    extensions: [["x-queue-id", "1"]],
    recipients: [{
      originalRecipient: { type: "utf-8", text: "ü@dest.test" },
      finalRecipient: { type: "rfc822", text: "u@dest.test" },
      action: "failed",
      status: "5.1.1",
      remoteMta: { type: "dns", text: "remote.test" },
      diagnostic: { type: "smtp", text: "550 no" },
      lastAttemptDate: "today",
      finalLogId: "7",
      willRetryUntil: "tomorrow",
      extensions: [["x-more", "2"]],
    }],
  });
});

Deno.test("delivery status: a group of a recipient has its name or what was done, and one is needed", () => {
  assertEquals(parseDeliveryStatus("Reporting-MTA: dns; mx.test"), null);
  const alone = parseDeliveryStatus("Action: relayed\r\nX-More: 2");
  assertEquals([alone?.recipients.length, alone?.recipients[0]?.action, alone?.extensions], [
    ...[1, "relayed", []],
  ]);
  const named = parseDeliveryStatus("Final-Recipient: rfc822; u@dest.test\r\nAction: lost");
  assertEquals([named?.recipients[0]?.action, named?.recipients[0]?.status], [null, null]);
});

Deno.test("delivery status: a status stands alone among digits and dots", () => {
  const texts = [
    "5.1.1",
    "#4.2.2",
    "smtp; 550-5.7.1 no",
    "15.1.1",
    "5.1.1.1",
    "3.1.1",
    "5.1",
    "5.1.1.",
  ];
  assertEquals(texts.map(statusIn), ["5.1.1", "4.2.2", "5.7.1", null, null, null, null, "5.1.1"]);
});

Deno.test("feedback report: every field of RFC 5965", () => {
  const text = [
    ...["Feedback-Type: Abuse (really)", "User-Agent: Agent/1", "Version: 1", ""],
    ...["Original-Envelope-Id: 7", "Original-Mail-From: <a@shop.test>"],
    ...["Original-Rcpt-To: rfc822; <u@dest.test>", "Original-Rcpt-To: nobody"],
    ...["Removal-Recipient: v@dest.test", "Removal-Recipient: u@dest.test", "Incidents: 3"],
    ...["Received-Date: then", "Reporting-MTA: dns; mx.test", "Source-IP: 192.0.2.1"],
    ...["Reported-Domain: shop.test", "Reported-URI: http://shop.test/"],
    "Authentication-Results: mx.test; spf=pass",
  ].join("\r\n");
  assertEquals(parseFeedbackReport(text), {
    ...{ type: "abuse", userAgent: "Agent/1", version: "1", originalEnvelopeId: "7" },
    ...{ originalMailFrom: "a@shop.test", recipients: ["u@dest.test", "v@dest.test"] },
    ...{ arrivalDate: "then", reportingMta: "dns; mx.test", sourceIp: "192.0.2.1", incidents: 3 },
    ...{ reportedDomains: ["shop.test"], reportedUris: ["http://shop.test/"] },
    authenticationResults: ["mx.test; spf=pass"],
  });
});

Deno.test("feedback report: without a type it is none, and incidents are one at least", () => {
  assertEquals(parseFeedbackReport("User-Agent: x"), null);
  assertEquals(parseFeedbackReport("Feedback-Type: ?"), null);
  const incidents = (text: string) =>
    parseFeedbackReport(`Feedback-Type: abuse\r\n${text}`)?.incidents;
  assertEquals(["", "Incidents: 0", "Incidents: -1", "Incidents: many"].map(incidents), [
    ...[1, 1, 1, 1],
  ]);
  const both = parseFeedbackReport("Feedback-Type: abuse\r\nReceived-Date: b\r\nArrival-Date: a");
  assertEquals([both?.arrivalDate, both?.originalMailFrom, both?.userAgent], ["a", null, null]);
});
