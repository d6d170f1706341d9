import { assertEquals } from "@std/assert";
import { cloudflareConfig } from "../../../src/relay/cloudflare/config.ts";
import { ANSWERS, createCloudflare } from "../../../src/relay/cloudflare/transport.ts";
import {
  type AnswerRow,
  attempt,
  contract,
  ENVELOPE,
  expect,
  type ProviderCase,
} from "../contract.ts";
import { REPORT } from "../messages.ts";
import { answer, jsonOf, octetsOf } from "../requests.ts";

function problem(status: number, code: number, expected: AnswerRow["expect"]): AnswerRow {
  const errors = [{ code, message: "email.sending.error.said_by_cloudflare" }];
  const body = { success: false, errors, messages: [], result: null };
  return { what: `code ${code}`, status, body, expect: expected };
}

function success(result: Record<string, readonly string[]>): unknown {
  return { success: true, errors: [], messages: [], result };
}

const [ann = "", bob = "", carol = "", blind = ""] = ENVELOPE;

const CLOUDFLARE: ProviderCase = {
  name: "cloudflare",
  create: (baseUrl, options) => {
    const table = { account_id: "acc-1", api_token: "token-1", base_url: `${baseUrl}/client/v4/` };
    return createCloudflare(cloudflareConfig.parse(table), options);
  },
  accept: (request) =>
    answer(
      200,
      success({
        delivered: jsonOf(request).recipients,
        permanent_bounces: [],
        queued: [],
      }),
    ),
  deliverySet: (request) => jsonOf(request).recipients,
  checkRequest(request) {
    assertEquals(request.target, "/client/v4/accounts/acc-1/email/sending/send_raw");
    assertEquals(request.headers.get("authorization"), "Bearer token-1");
    assertEquals(jsonOf(request).from, "bounces@sender.example");
  },
  rawOctets: (request) => octetsOf(jsonOf(request).mime_message),
  maxRecipients: 50,
  maxBytes: 25 * 1024 * 1024,
  refuseSomebody: answer(400, { success: false, errors: [{ code: 10001, message: "invalid" }] }),
  answers: ANSWERS,
  rows: [
    {
      what: "one result for each",
      status: 200,
      body: success({
        delivered: [ann],
        queued: [bob],
        permanent_bounces: [carol],
        suppressed_recipients: [blind],
      }),
      expect: [
        "delivered",
        "delivered",
        { kind: "permanent", enhanced: "5.1.0" },
        { kind: "permanent", enhanced: "5.7.1" },
      ],
    },
    {
      what: "one that is not named",
      status: 200,
      body: success({ delivered: [ann, bob, carol] }),
      expect: ["delivered", "delivered", "delivered", "uncertain"],
    },
    problem(200, 10001, "permanent"),
    problem(200, 99999, "temporary"),
    problem(400, 10001, "permanent"),
    problem(400, 10200, { kind: "unsuitable", enhanced: "5.3.4" }),
    problem(400, 10201, "broken"),
    problem(400, 10202, "permanent"),
    problem(401, 10101, "broken"),
    problem(401, 10103, "broken"),
    problem(403, 10102, "broken"),
    problem(403, 10105, "broken"),
    problem(403, 10203, "broken"),
    problem(404, 10000, "broken"),
    problem(429, 10004, { kind: "temporary", counts: false }),
    problem(500, 10002, { kind: "temporary", counts: false }),
    problem(500, 10003, "broken"),
    problem(503, 10100, { kind: "temporary", counts: false }),
  ],
};

contract(CLOUDFLARE);

Deno.test("relay cloudflare: a notification has its author for a sender", async () => {
  const { requests, report } = await attempt(CLOUDFLARE, REPORT, {
    recipients: [ann],
    reversePath: "",
    pieceBytes: 11,
  });
  assertEquals(requests.map((request) => jsonOf(request).from), ["MAILER-DAEMON@sender.example"]);
  expect(report.outcomes, "delivered", "a notification");
});

Deno.test("relay cloudflare: a message without any sender is left to another transport", async () => {
  const { requests, report } = await attempt(CLOUDFLARE, "Subject: x\r\n\r\n", {
    recipients: [ann],
    reversePath: "",
  });
  assertEquals(requests.length, 0);
  expect(report.outcomes, { kind: "unsuitable", enhanced: "5.6.0" }, "no sender");
});
