import { assertEquals } from "@std/assert";
import { gmailConfig } from "../../../src/relay/gmail/config.ts";
import { ANSWERS, createGmail } from "../../../src/relay/gmail/transport.ts";
import { type AnswerRow, attempt, contract, expect, type ProviderCase } from "../contract.ts";
import { addressedTo, contentOf, fieldValues } from "../fields.ts";
import { PLAIN } from "../messages.ts";
import { answer } from "../requests.ts";

function problem(status: number, reason: string, expected: AnswerRow["expect"]): AnswerRow {
  const error = { code: status, message: "Said by Gmail", errors: [{ domain: "global", reason }] };
  return { what: reason, status, body: { error }, expect: expected };
}

const HOUR_MS = 3_600_000;

const GMAIL: ProviderCase = {
  name: "gmail",
  create: (baseUrl, options) =>
    createGmail(
      gmailConfig.parse({
        user: "sender@sender.example",
        client_id: "client-1",
        client_secret: "secret-1",
        refresh_token: "refresh-1",
        token_url: `${baseUrl}/token`,
        base_url: baseUrl,
      }),
      options,
    ),
  prelude: ({ target }) =>
    target === "/token" ? answer(200, { access_token: "token-1", expires_in: 3599 }) : null,
  accept: () => answer(200, { id: "18c", threadId: "18c", labelIds: ["SENT"] }),
  deliverySet: ({ body }) => addressedTo(body),
  checkRequest({ target, headers }) {
    assertEquals(
      target,
      "/upload/gmail/v1/users/sender%40sender.example/messages/send?uploadType=media",
    );
    assertEquals(headers.get("authorization"), "Bearer token-1");
    assertEquals(headers.get("content-type"), "message/rfc822");
  },
  maxRecipients: 500,
  maxBytes: 36_700_160,
  refuseSomebody: answer(400, {
    error: { errors: [{ reason: "invalidArgument" }], message: "Invalid To" },
  }),
  answers: ANSWERS,
  rows: [
    problem(429, "rateLimitExceeded", { kind: "temporary", counts: false }),
    problem(403, "rateLimitExceeded", { kind: "temporary", counts: false }),
    problem(403, "userRateLimitExceeded", { kind: "temporary", counts: false }),
    problem(403, "dailyLimitExceeded", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(403, "insufficientPermissions", "broken"),
    problem(403, "domainPolicy", "broken"),
    problem(400, "failedPrecondition", "broken"),
    problem(400, "invalidArgument", { kind: "permanent", enhanced: "5.6.0" }),
    problem(429, "concurrentLimitExceeded", { kind: "temporary", counts: false }),
    problem(403, "quotaExceeded", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(403, "limitExceeded", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(403, "accessNotConfigured", "broken"),
    problem(403, "delegationDenied", "broken"),
    problem(403, "forbidden", "broken"),
    problem(401, "authError", "broken"),
    problem(404, "notFound", "broken"),
    problem(413, "uploadTooLarge", { kind: "unsuitable", enhanced: "5.3.4" }),
    problem(500, "backendError", { kind: "temporary", counts: false }),
    problem(500, "internalError", { kind: "temporary", counts: false }),
    problem(503, "backendError", { kind: "temporary", counts: false }),
  ],
};

contract(GMAIL);

Deno.test("relay gmail: a message whose fields name its envelope goes out as it is", async () => {
  const message = PLAIN.replace(/^Bcc: .*\r\n/m, "");
  const recipients = ["carol@one.example", "ann@one.example", "bob@two.example"];
  const { requests, report } = await attempt(GMAIL, message, { recipients }, { rawOnly: true });
  assertEquals(new TextDecoder().decode(requests[0]?.body), message);
  assertEquals(report.losses, undefined);
});

Deno.test("relay gmail: blind recipients take the place of a Bcc that was left in", async () => {
  const recipients = ["ann@one.example", "bob@two.example", "carol@one.example", "new@six.example"];
  const { requests, report } = await attempt(GMAIL, PLAIN, { recipients, pieceBytes: 5 });
  const sent = requests[0]?.body ?? new Uint8Array();
  assertEquals(fieldValues(sent, "Bcc"), ["new@six.example"]);
  assertEquals(fieldValues(sent, "To"), ['"Doe, Ann" <ann@one.example>, bob@two.example']);
  assertEquals(contentOf(sent), contentOf(new TextEncoder().encode(PLAIN)));
  assertEquals(report.losses, undefined);
});

Deno.test("relay gmail: who is not in the envelope is told of but not sent to", async () => {
  const facts = { recipients: ["ann@one.example", "elsewhere@five.example"] };
  const { requests, report } = await attempt(GMAIL, PLAIN, facts);
  const sent = requests[0]?.body ?? new Uint8Array();
  assertEquals(fieldValues(sent, "To"), ['"Doe, Ann" <ann@one.example>']);
  assertEquals(fieldValues(sent, "Cc"), []);
  assertEquals(fieldValues(sent, "Bcc"), ["elsewhere@five.example"]);
  assertEquals(
    fieldValues(sent, "X-Posthouse-Original-To"),
    ['"Doe, Ann" <ann@one.example>, bob@two.example'],
  );
  assertEquals(report.losses?.map(({ what }) => what), ["To", "Cc"]);
  const refused = await attempt(GMAIL, PLAIN, facts, { rawOnly: true });
  assertEquals(refused.requests.length, 0);
  expect(refused.report.outcomes, { kind: "unsuitable", enhanced: "5.6.2" }, "raw only");
});

Deno.test("relay gmail: fields that could be read in two ways are written anew", async () => {
  const fields = [
    "To: ann@one.example evil@nine.example",
    'To: "ann@one.example <evil@nine.example>" <ann@one.example>',
    "To: ann@one.example (or evil@nine.example)",
    "To: Friends: ann@one.example, evil@nine.example;",
    "To: <@evil.example:ann@one.example>",
    "Resent-To: evil@nine.example\r\nTo: ann@one.example",
    "Resent-Bcc: evil@nine.example\r\nTo: ann@one.example",
    "To:\r\n evil@nine.example\r\n\t, ann@one.example",
    "tO : evil@nine.example\r\nTo: ann@one.example",
  ];
  for (const field of fields) {
    const message = `From: a@b.example\r\n${field}\r\nSubject: x\r\n\r\nText\r\n`;
    const { requests } = await attempt(GMAIL, message, { recipients: ["ann@one.example"] });
    assertEquals(requests.map(({ body }) => addressedTo(body)), [["ann@one.example"]], field);
  }
});

Deno.test("relay gmail: names keep their meaning when a field is written anew", async () => {
  const message = "From: a@b.example\r\n" +
    'To: "Ann, \\"the\\" Doe" <ann@one.example>,\r\n =?utf-8?q?J=C3=B6rg?= <bob@two.example>, ' +
    "no@nine.example\r\n\r\nText\r\n";
  const { requests } = await attempt(GMAIL, message, {
    recipients: ["ann@one.example", "bob@two.example"],
  });
  assertEquals(
    fieldValues(requests[0]?.body ?? new Uint8Array(), "To"),
    ['"Ann, \\"the\\" Doe" <ann@one.example>, =?utf-8?b?SsO2cmc=?= <bob@two.example>'],
  );
});
