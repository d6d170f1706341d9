import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { brevoConfig } from "../../../src/relay/brevo/config.ts";
import { ANSWERS, createBrevo } from "../../../src/relay/brevo/transport.ts";
import { type AnswerRow, attempt, contract, ENVELOPE, type ProviderCase } from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { answer, jsonOf } from "../requests.ts";

function problem(status: number, code: string, expected: AnswerRow["expect"]): AnswerRow {
  return { what: code, status, body: { code, message: "Said by Brevo" }, expect: expected };
}

const BREVO: ProviderCase = {
  name: "brevo",
  create: (baseUrl, options) =>
    createBrevo(brevoConfig.parse({ api_key: "xkeysib-1", base_url: baseUrl }), options),
  accept: () => answer(201, { messageId: "<1@smtp-relay.example>" }),
  deliverySet: (request) => {
    const { to, cc = [], bcc = [] } = jsonOf(request);
    return [...to, ...cc, ...bcc].map(({ email }: { email: string }) => email);
  },
  checkRequest(request) {
    assertEquals(request.target, "/v3/smtp/email");
    assertEquals(request.headers.get("api-key"), "xkeysib-1");
  },
  statusProves: true,
  converts: true,
  maxRecipients: 99,
  maxBytes: 20_000_000,
  refuseSomebody: answer(400, { code: "invalid_parameter", message: "to is not valid" }),
  answers: ANSWERS,
  rows: [
    problem(400, "invalid_parameter", "unsuitable"),
    problem(400, "missing_parameter", "unsuitable"),
    problem(400, "out_of_range", "unsuitable"),
    problem(400, "duplicate_parameter", "uncertain"),
    problem(422, "something_else", "unsuitable"),
    problem(401, "unauthorized", "broken"),
    problem(402, "not_enough_credits", { kind: "broken", retryAfterMs: 3_600_000 }),
    problem(403, "permission_denied", "broken"),
    problem(403, "account_under_validation", "broken"),
    problem(404, "document_not_found", "broken"),
    problem(405, "method_not_allowed", "broken"),
    {
      what: "too fast",
      status: 429,
      headers: { "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "12" },
      body: { code: "too_many_requests" },
      expect: { kind: "temporary", counts: false, retryAfterMs: 12_000 },
    },
  ],
};

contract(BREVO);

Deno.test("relay brevo: what a message becomes", async () => {
  const { requests, report } = await attempt(BREVO, RICH, { recipients: ENVELOPE });
  const { sender, to, bcc, attachment, textContent, headers, tags } = jsonOf(requests[0]!);
  assertEquals(sender, { email: "joerg@sender.example", name: "Jörg Sender" });
  assertEquals(to[0], { email: "ann@one.example", name: "Doe, Ann" });
  assertEquals(bcc.length, 2);
  assertEquals(textContent, "Grüße\n");
  assertEquals(attachment, [
    { name: "logo.png", content: "iVBORw0KGgo=" },
    { name: "résumé.pdf", content: "JVBERi0xLjQK" },
  ]);
  assertEquals([Object.keys(headers), tags], [["idempotencyKey"], undefined]);
  assertEquals(report.losses?.map(({ what }) => what), ["Message-ID", "inline images"]);
});

Deno.test("relay brevo: fields that would be orders are not carried", async () => {
  const message = PLAIN.replace("X-Tag: invoice", "Sender.IP: 1.2.3.4\r\nX-Mailin-Custom: x");
  const { requests, report } = await attempt(BREVO, message, { recipients: ENVELOPE });
  assertEquals(Object.keys(jsonOf(requests[0]!).headers), [
    "X-Campaign",
    "List-Unsubscribe",
    "idempotencyKey",
  ]);
  assertEquals(report.losses?.map(({ what }) => what), [
    "Sender.IP",
    "X-Mailin-Custom",
    "Message-ID",
  ]);
});

Deno.test("relay brevo: the same message to the same recipients has the same key", async () => {
  const keysOf = async (recipients: readonly string[]): Promise<string[]> =>
    (await attempt(BREVO, PLAIN, { recipients })).requests
      .map((request) => jsonOf(request).headers.idempotencyKey);
  const [key = ""] = await keysOf(ENVELOPE);
  assertMatch(key, /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  assertEquals(await keysOf(ENVELOPE), [key]);
  assertNotEquals(await keysOf(ENVELOPE.slice(0, 3)), [key]);
  assertEquals(new Set(await keysOf(["x@a.example", "y@b.example"])).size, 2);
});
