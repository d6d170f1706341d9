import { assertEquals } from "@std/assert";
import { sparkpostConfig } from "../../../src/relay/sparkpost/config.ts";
import { ANSWERS, createSparkpost } from "../../../src/relay/sparkpost/transport.ts";
import { type AnswerRow, contract } from "../contract.ts";
import { answer, jsonOf, octetsOf } from "../requests.ts";

/** An error with an extended code. */
function problem(status: number, code: string, expected: AnswerRow["expect"]): AnswerRow {
  const body = { errors: [{ message: "Said by SparkPost", code, description: "More of it" }] };
  return { what: `code ${code}`, status, body, expect: expected };
}

const HOUR_MS = 3_600_000;

/** An answer that took all but `count`, some of whom its words name. */
function partial(count: number, words: readonly string[]): unknown {
  const errors = words.map((description) => ({
    ...{ message: "invalid data format/type", description, code: "1300" },
  }));
  const totals = { total_rejected_recipients: count, total_accepted_recipients: 4 - count };
  return { results: { ...totals, id: "11", rcpt_to_errors: errors } };
}
const SAID = "invalid recipient address.email: ";
const REFUSED = { kind: "permanent", enhanced: "5.1.3" } as const;

contract({
  name: "sparkpost",
  create: (baseUrl, options) =>
    createSparkpost(
      sparkpostConfig.parse({ api_key: "key-1", campaign: "spring", base_url: baseUrl }),
      options,
    ),
  accept: (request) => {
    const total = jsonOf(request).recipients.length;
    const results = { total_rejected_recipients: 0, total_accepted_recipients: total, id: "11" };
    return answer(200, { results });
  },
  deliverySet: (request) =>
    jsonOf(request).recipients.map(({ address }: { address: { email: string } }) => address.email),
  checkRequest(request) {
    assertEquals(request.target, "/api/v1/transmissions?num_rcpt_errors=4");
    assertEquals(request.headers.get("authorization"), "key-1");
    const { options, campaign_id, content, return_path } = jsonOf(request);
    assertEquals(options, {
      open_tracking: false,
      click_tracking: false,
      perform_substitutions: false,
      transactional: true,
    });
    assertEquals(campaign_id, "spring");
    assertEquals(return_path, undefined);
    assertEquals(Object.keys(content), ["email_rfc822"]);
  },
  rawOctets: (request) => octetsOf(jsonOf(request).content.email_rfc822),
  maxRecipients: 1000,
  maxBytes: 40_000_000,
  refuseSomebody: answer(422, { errors: [{ code: "1300", message: "invalid data format/type" }] }),
  answers: ANSWERS,
  rows: [
    {
      what: "one of them refused",
      status: 200,
      body: {
        results: { total_rejected_recipients: 1, total_accepted_recipients: 3, id: "11" },
      },
      expect: "uncertain",
    },
    {
      what: "one of them refused, by name",
      status: 200,
      body: partial(1, [`${SAID}BOB@two.example`]),
      expect: ["delivered", REFUSED, "delivered", "delivered"],
    },
    {
      what: "two refused, of whom one is named",
      status: 200,
      body: partial(2, [`${SAID}bob@two.example`, "address is not JSON"]),
      expect: ["uncertain", REFUSED, "uncertain", "uncertain"],
    },
    {
      what: "one refused, and somebody else is named",
      status: 200,
      body: partial(1, [`${SAID}dave@two.example`]),
      expect: "uncertain",
    },
    {
      what: "all of them refused",
      status: 200,
      body: {
        results: { total_rejected_recipients: 4, total_accepted_recipients: 0, id: "11" },
      },
      expect: { kind: "permanent", enhanced: "5.1.3" },
    },
    { what: "a gateway that waited in vain", status: 504, expect: "uncertain" },
    {
      what: "the server failed",
      status: 504,
      body: "<html>Bad gateway</html>",
      expect: "uncertain",
    },
    problem(400, "1502", { kind: "temporary", counts: false }),
    problem(400, "1200", "permanent"),
    problem(400, "5002", { kind: "permanent", enhanced: "5.1.3" }),
    problem(400, "7001", "unsuitable"),
    problem(400, "1101", "broken"),
    problem(405, "1102", "broken"),
    problem(400, "1103", "broken"),
    problem(400, "1305", { kind: "unsuitable", enhanced: "5.6.3" }),
    problem(400, "7000", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(401, "1303", "broken"),
    problem(401, "1304", "broken"),
    problem(403, "1601", "broken"),
    problem(403, "1100", "broken"),
    problem(404, "1600", "broken"),
    problem(400, "1910", "broken"),
    problem(420, "2101", { kind: "broken", retryAfterMs: HOUR_MS / 4 }),
    problem(420, "2102", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(420, "2103", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(420, "2105", { kind: "broken", retryAfterMs: 6 * HOUR_MS }),
    { what: "a limit without a code", status: 420, expect: "broken" },
    problem(422, "1300", "permanent"),
    problem(422, "3020", "permanent"),
    problem(503, "1900", { kind: "temporary", counts: false }),
    problem(409, "1602", "temporary"),
  ],
});
