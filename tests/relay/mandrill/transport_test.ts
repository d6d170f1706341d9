import { assertEquals } from "@std/assert";
import { mandrillConfig } from "../../../src/relay/mandrill/config.ts";
import { ANSWERS, createMandrill } from "../../../src/relay/mandrill/transport.ts";
import { type AnswerRow, contract, ENVELOPE } from "../contract.ts";
import { answer, jsonOf, octetsOf } from "../requests.ts";

function problem(status: number, name: string, expected: AnswerRow["expect"]): AnswerRow {
  const body = { status: "error", code: -1, name, message: "Said by Mandrill" };
  return { what: name, status, body, expect: expected };
}

/** One result for each recipient, the second of them with these particulars. */
function results(particular: Record<string, unknown>): unknown {
  return ENVELOPE.map((email, index) => ({
    email,
    status: "sent",
    _id: `id-${index}`,
    ...(index === 1 ? particular : {}),
  }));
}

function rejected(
  reason: string,
  expected: AnswerRow["expect"] & (string | { kind: string }),
): AnswerRow {
  return {
    what: `rejected for ${reason}`,
    status: 200,
    body: results({ status: "rejected", reject_reason: reason }),
    expect: ["delivered", expected, "delivered", "delivered"] as AnswerRow["expect"],
  };
}

contract({
  name: "mandrill",
  create: (baseUrl, options) =>
    createMandrill(mandrillConfig.parse({ api_key: "md-1", base_url: baseUrl }), options),
  accept: (request) =>
    answer(200, jsonOf(request).to.map((email: string) => ({ email, status: "queued", _id: "1" }))),
  deliverySet: (request) => jsonOf(request).to,
  checkRequest(request) {
    assertEquals(request.target, "/api/1.0/messages/send-raw.json");
    const { key, async, from_email } = jsonOf(request);
    assertEquals([key, async, from_email], ["md-1", false, undefined]);
  },
  rawOctets: (request) => octetsOf(jsonOf(request).raw_message),
  maxRecipients: 1000,
  maxBytes: 25 * 1024 * 1024,
  answers: ANSWERS,
  rows: [
    { what: "scheduled", status: 200, body: results({ status: "scheduled" }), expect: "delivered" },
    {
      what: "an address spelt otherwise",
      status: 200,
      body: results({ email: "Bob@TWO.example" }),
      expect: "delivered",
    },
    {
      what: "one invalid",
      status: 200,
      body: results({ status: "invalid" }),
      expect: ["delivered", { kind: "permanent", enhanced: "5.1.3" }, "delivered", "delivered"],
    },
    {
      what: "one that is not named",
      status: 200,
      body: results({ email: "someone@else.example" }),
      expect: ["delivered", "uncertain", "delivered", "delivered"],
    },
    {
      what: "a status nobody knows",
      status: 200,
      body: results({ status: "pondering" }),
      expect: ["delivered", "temporary", "delivered", "delivered"],
    },
    rejected("hard-bounce", { kind: "permanent", enhanced: "5.1.1" }),
    rejected("soft-bounce", "temporary"),
    rejected("spam", { kind: "permanent", enhanced: "5.7.1" }),
    rejected("unsub", { kind: "permanent", enhanced: "5.7.1" }),
    rejected("custom", "permanent"),
    rejected("rule", "permanent"),
    rejected("invalid", { kind: "permanent", enhanced: "5.1.3" }),
    rejected("invalid-sender", "unsuitable"),
    rejected("unsigned", "unsuitable"),
    rejected("test-mode-limit", "broken"),
    rejected("something new", "temporary"),
    // Mandrill says 500 of its client's mistakes too.
    problem(500, "Invalid_Key", "broken"),
    problem(401, "Invalid_Key", "broken"),
    problem(500, "PaymentRequired", "broken"),
    problem(500, "Unknown_Subaccount", "broken"),
    problem(500, "PoorReputation", "broken"),
    problem(500, "Unknown_Pool", "broken"),
    problem(400, "ValidationError", { kind: "permanent", enhanced: "5.6.0" }),
    problem(500, "ValidationError", { kind: "temporary", counts: false }),
    problem(400, "Invalid_Tag_Name", "permanent"),
    problem(500, "GeneralError", { kind: "temporary", counts: false }),
    problem(503, "ServiceUnavailable", { kind: "temporary", counts: false }),
    problem(500, "Brand_New_Error", { kind: "temporary", counts: false }),
  ],
});
