import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { sesConfig } from "../../../src/relay/ses/config.ts";
import { ANSWERS, createSes } from "../../../src/relay/ses/transport.ts";
import { signV4 } from "../../../src/relay/http/sigv4.ts";
import { attempt, contract, ENVELOPE, expect, NOW_MS, type ProviderCase } from "../contract.ts";
import { answer, fromBase64, jsonOf } from "../requests.ts";

const TABLE = {
  region: "eu-central-1",
  access_key_id: "AKIDEXAMPLE",
  secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  session_token: "token==",
  configuration_set: "set-1",
};

/** An error as SES says it: the shape in a field or in the body. */
function problem(status: number, code: string, expected: ProviderCase["rows"][number]["expect"]) {
  return [
    {
      what: `${code} in a field`,
      status,
      headers: { "x-amzn-errortype": `${code}:http://internal.amazon.com/coral/` },
      body: { message: "Said by SES" },
      expect: expected,
    },
    {
      what: `${code} in the body`,
      status,
      body: { __type: `com.amazonaws.ses.v2#${code}`, message: "Said by SES" },
      expect: expected,
    },
  ];
}

/** docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html: the words make the difference. */
function quotaRow(message: string, expected: ProviderCase["rows"][number]["expect"]) {
  const headers = { "x-amzn-errortype": "ThrottlingException" };
  return { what: message, status: 400, headers, body: { message }, expect: expected };
}

const SES: ProviderCase = {
  name: "ses",
  create: (baseUrl, options) =>
    createSes(sesConfig.parse({ ...TABLE, base_url: baseUrl }), options),
  accept: () => answer(200, { MessageId: "0100018c-1" }),
  remoteId: "ses:0100018c-1",
  queueId: (request) => jsonOf(request).EmailTags[0].Value,
  deliverySet: (request) => jsonOf(request).Destination.ToAddresses,
  async checkRequest(request) {
    assertEquals(request.target, "/v2/email/outbound-emails");
    assertEquals(request.headers.get("content-type"), "application/json");
    assertEquals(request.headers.get("x-amz-date"), "20260102T030405Z");
    assertEquals(request.headers.get("x-amz-security-token"), "token==");
    const { FromEmailAddress, ConfigurationSetName, Destination } = jsonOf(request);
    assertEquals(FromEmailAddress, undefined); // it would replace the From field
    assertEquals(ConfigurationSetName, "set-1");
    assertEquals(Object.keys(Destination), ["ToAddresses"]);
    const signed = await signV4({
      method: "POST",
      url: new URL(`http://${request.headers.get("host")}/v2/email/outbound-emails`),
      headers: [["content-type", "application/json"]],
      payloadHash: createHash("sha256").update(request.body).digest("hex"),
    }, {
      credentials: {
        accessKeyId: TABLE.access_key_id,
        secretAccessKey: TABLE.secret_access_key,
        sessionToken: TABLE.session_token,
      },
      scope: { region: "eu-central-1", service: "ses", nowMs: NOW_MS },
    });
    assertEquals(request.headers.get("authorization"), signed.authorization);
    assertMatch(signed.authorization ?? "", /SignedHeaders=content-type;host;x-amz-date;/);
  },
  rawOctets: (request) => fromBase64(jsonOf(request).Content.Raw.Data),
  anyOctets: true,
  maxRecipients: 50,
  maxBytes: 30_000_000 - 64 * 1024,
  refuseSomebody: answer(400, { __type: "BadRequestException", message: "Illegal address" }),
  answers: ANSWERS,
  rows: [
    { what: "taken", status: 200, body: { MessageId: "1" }, expect: "delivered" },
    ...problem(429, "TooManyRequestsException", { kind: "temporary", counts: false }),
    ...problem(400, "ThrottlingException", { kind: "temporary", counts: false }),
    ...problem(400, "Throttling", { kind: "temporary", counts: false }),
    ...problem(503, "RequestThrottled", { kind: "temporary", counts: false }),
    ...problem(400, "LimitExceededException", "broken"),
    ...problem(400, "ConfigurationSetSendingPausedException", "broken"),
    ...problem(400, "AccountSuspendedException", "broken"),
    ...problem(400, "SendingPausedException", "broken"),
    ...problem(404, "NotFoundException", "broken"),
    ...problem(403, "SignatureDoesNotMatch", "broken"),
    ...problem(403, "InvalidClientTokenId", "broken"),
    ...problem(400, "ExpiredTokenException", "broken"),
    ...problem(400, "ExpiredToken", "broken"),
    ...problem(403, "AccessDeniedException", "broken"),
    ...problem(403, "AccessDenied", "broken"),
    ...problem(403, "IncompleteSignature", "broken"),
    ...problem(403, "InvalidSignatureException", "broken"),
    ...problem(403, "MissingAuthenticationTokenException", "broken"),
    ...problem(403, "MissingAuthenticationToken", "broken"),
    ...problem(400, "NotAuthorized", "broken"),
    ...problem(403, "OptInRequired", "broken"),
    ...problem(400, "RequestExpired", "broken"),
    ...problem(403, "UnrecognizedClientException", "broken"),
    ...problem(400, "MessageRejected", { kind: "unsuitable", enhanced: "5.7.1" }),
    ...problem(400, "MailFromDomainNotVerifiedException", "unsuitable"),
    ...problem(400, "BadRequestException", { kind: "permanent", enhanced: "5.6.0" }),
    ...problem(400, "ValidationException", { kind: "permanent", enhanced: "5.6.0" }),
    ...problem(500, "InternalFailure", { kind: "temporary", counts: false }),
    ...problem(500, "InternalServiceErrorException", { kind: "temporary", counts: false }),
    ...problem(503, "ServiceUnavailable", { kind: "temporary", counts: false }),
    quotaRow("Maximum sending rate exceeded.", { kind: "temporary", counts: false }),
    quotaRow("Daily message quota exceeded.", { kind: "broken", retryAfterMs: 600_000 }),
    { what: "no code", status: 400, expect: "permanent" },
  ],
};

contract(SES);

Deno.test("relay ses: lines that SES refuses are left to another transport", async () => {
  const message = `Subject: Long\r\n\r\n${"x".repeat(999)}\r\n`;
  const { requests, report } = await attempt(SES, message, { recipients: ENVELOPE });
  assertEquals(requests.length, 0);
  expect(report.outcomes, { kind: "unsuitable", enhanced: "5.6.0" }, "long line");
});

Deno.test("relay ses: the region chooses the host", () => {
  const { session_token: _, ...table } = TABLE;
  const clock = { now: () => 0, monotonic: () => 0, schedule: () => () => {} };
  const transport = createSes(sesConfig.parse(table), { name: "out", fetch, clock });
  assertEquals(transport.destinationOf("one.example"), "email.eu-central-1.amazonaws.com");
  assert(!sesConfig.safeParse({ ...table, base_url: "ftp://x" }).success);
});
