import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { resendConfig } from "../../../src/relay/resend/config.ts";
import { ANSWERS, createResend } from "../../../src/relay/resend/transport.ts";
import { type AnswerRow, attempt, contract, ENVELOPE, type ProviderCase } from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { answer, jsonOf } from "../requests.ts";

function problem(statusCode: number, name: string, expected: AnswerRow["expect"]): AnswerRow {
  const body = { statusCode, name, message: "Said by Resend" };
  return { what: name, status: statusCode, body, expect: expected };
}

function addressOf(text: string): string {
  return /<([^<>]+)>$/.exec(text)?.[1] ?? text;
}

const HOUR_MS = 3_600_000;

const RESEND: ProviderCase = {
  name: "resend",
  create: (baseUrl, options) =>
    createResend(resendConfig.parse({ api_key: "re_1", base_url: baseUrl }), options),
  accept: () => answer(200, { id: "49a3999c" }),
  remoteId: "resend:49a3999c",
  queueId: (request) => jsonOf(request).tags[0].value,
  deliverySet: (request) => {
    const { to, cc = [], bcc = [] } = jsonOf(request);
    return [...to, ...cc, ...bcc].map(addressOf);
  },
  checkRequest(request) {
    assertEquals(request.target, "/emails");
    assertEquals(request.headers.get("authorization"), "Bearer re_1");
    assertMatch(request.headers.get("idempotency-key") ?? "", /^[\w-]{1,256}$/);
  },
  converts: true,
  maxRecipients: 50,
  maxBytes: 40_000_000,
  refuseSomebody: answer(422, { name: "validation_error", message: "Invalid `to` field" }),
  answers: ANSWERS,
  rows: [
    problem(400, "validation_error", "unsuitable"),
    problem(403, "validation_error", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(422, "validation_error", "unsuitable"),
    problem(422, "missing_required_field", "unsuitable"),
    problem(422, "invalid_from_address", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(422, "invalid_access", "broken"),
    problem(401, "missing_api_key", "broken"),
    problem(401, "restricted_api_key", "broken"),
    problem(403, "invalid_api_key", "broken"),
    problem(403, "suspended_api_key", "broken"),
    problem(403, "invalid_api_Key", "broken"),
    problem(403, "invalid_permission", "broken"),
    problem(404, "not_found", "broken"),
    problem(405, "method_not_allowed", "broken"),
    problem(409, "concurrent_idempotent_requests", "temporary"),
    problem(409, "invalid_idempotent_request", "uncertain"),
    problem(429, "rate_limit_exceeded", { kind: "temporary", counts: false }),
    problem(429, "daily_quota_exceeded", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(429, "monthly_quota_exceeded", { kind: "broken", retryAfterMs: 6 * HOUR_MS }),
    problem(451, "security_error", "unsuitable"),
    problem(500, "application_error", { kind: "temporary", counts: false }),
    problem(500, "internal_server_error", { kind: "temporary", counts: false }),
    {
      what: "too fast",
      status: 429,
      headers: { "ratelimit-remaining": "0", "ratelimit-reset": "1", "retry-after": "2" },
      body: { name: "rate_limit_exceeded" },
      expect: { kind: "temporary", counts: false, retryAfterMs: 2000 },
    },
  ],
};

contract(RESEND);

Deno.test("relay resend: what a message becomes", async () => {
  const { requests, report } = await attempt(RESEND, RICH, { recipients: ENVELOPE });
  const { attachments, from, html, text, to, headers } = jsonOf(requests[0]!);
  assertEquals(from, '"Jörg Sender" <joerg@sender.example>');
  assertEquals(to, ['"Doe, Ann" <ann@one.example>', "bob@two.example"]);
  assertEquals([text, html.length > 0, headers], ["Grüße\n", true, {}]);
  assertEquals(attachments[0].content_id, "logo@sender.example");
  assertEquals(attachments[1], {
    filename: "résumé.pdf",
    content: "JVBERi0xLjQK",
    content_type: "application/pdf",
  });
  assertEquals(report.losses, [{ kind: "fields", what: "Message-ID" }]);
});

Deno.test("relay resend: the same message to the same recipients has the same key", async () => {
  const keyOf = async (recipients: readonly string[]): Promise<string | undefined> =>
    (await attempt(RESEND, PLAIN, { recipients })).requests[0]?.headers.get("idempotency-key");
  assertEquals(await keyOf(ENVELOPE), await keyOf(ENVELOPE));
  assertNotEquals(await keyOf(ENVELOPE), await keyOf(ENVELOPE.slice(0, 3)));
  const { requests } = await attempt(RESEND, PLAIN, { recipients: ["x@a.example", "y@b.example"] });
  assertEquals(new Set(requests.map(({ headers }) => headers.get("idempotency-key"))).size, 2);
  assertEquals(jsonOf(requests[0]!).tags.slice(1), [{ name: "tag1", value: "invoice" }]);
});

Deno.test("relay resend: what is left of the rate limit is told", async () => {
  const { report } = await attempt(
    {
      ...RESEND,
      accept: () =>
        answer(200, { id: "1" }, { "ratelimit-remaining": "1", "ratelimit-reset": "1" }),
    },
    PLAIN,
    { recipients: ENVELOPE },
  );
  assertEquals(report.rate, { remaining: 1, resetAfterMs: 1000 });
});
