import { assertEquals } from "@std/assert";
import { graphConfig } from "../../../src/relay/graph/config.ts";
import { ANSWERS, createGraph } from "../../../src/relay/graph/transport.ts";
import { type AnswerRow, attempt, contract, expect, type ProviderCase } from "../contract.ts";
import { addressedTo } from "../fields.ts";
import { PLAIN } from "../messages.ts";
import { answer, fromBase64 } from "../requests.ts";
import type { RecordedRequest } from "../../support/http_recorder.ts";

const TABLE = {
  tenant: "tenant-1",
  user: "sender@sender.example",
  client_id: "client-1",
  client_secret: "secret-1",
};

function messageOf({ body }: RecordedRequest): Uint8Array {
  return fromBase64(new TextDecoder().decode(body));
}

function problem(status: number, code: string, expected: AnswerRow["expect"]): AnswerRow {
  return {
    what: code,
    status,
    body: { error: { code, message: "Said by Graph" } },
    expect: expected,
  };
}

const HOUR_MS = 3_600_000;

const GRAPH: ProviderCase = {
  name: "graph",
  create: (baseUrl, options) =>
    createGraph(
      graphConfig.parse({ ...TABLE, token_url: `${baseUrl}/token`, base_url: baseUrl }),
      options,
    ),
  prelude: ({ target }) =>
    target === "/token" ? answer(200, { access_token: "token-1", expires_in: 3599 }) : null,
  accept: () => ({ kind: "answer", status: 202 }),
  deliverySet: (request) => addressedTo(messageOf(request)),
  checkRequest({ target, headers }) {
    assertEquals(target, "/v1.0/users/sender%40sender.example/sendMail");
    assertEquals(headers.get("authorization"), "Bearer token-1");
    assertEquals(headers.get("content-type"), "text/plain");
  },
  statusProves: true,
  maxRecipients: 500,
  maxBytes: 3 * 1024 * 1024 - 4096,
  refuseSomebody: answer(400, {
    error: { code: "ErrorInvalidRecipients", message: "At least one" },
  }),
  answers: ANSWERS,
  rows: [
    { what: "another success", status: 200, expect: "uncertain" },
    problem(429, "ApplicationThrottled", { kind: "temporary", counts: false }),
    problem(429, "ActivityLimitReached", { kind: "temporary", counts: false }),
    problem(429, "TooManyRequests", { kind: "temporary", counts: false }),
    problem(429, "MailboxConcurrency", { kind: "temporary", counts: false }),
    problem(400, "ErrorServerBusy", { kind: "temporary", counts: false }),
    problem(400, "ErrorMailboxStoreUnavailable", { kind: "temporary", counts: false }),
    problem(400, "ErrorMailboxMoveInProgress", { kind: "temporary", counts: false }),
    problem(400, "ErrorInternalServerTransientError", { kind: "temporary", counts: false }),
    problem(400, "ErrorMimeContentInvalid", "permanent"),
    problem(413, "RequestEntityTooLarge", { kind: "unsuitable", enhanced: "5.3.4" }),
    problem(403, "ErrorAccountSuspend", "broken"),
    problem(403, "Authorization_RequestDenied", "broken"),
    problem(404, "Request_ResourceNotFound", "broken"),
    problem(404, "ResourceNotFound", "broken"),
    problem(400, "ErrorMimeContentInvalidBase64String", "permanent"),
    problem(400, "ErrorInvalidRecipients", { kind: "permanent", enhanced: "5.1.3" }),
    problem(400, "ErrorMessageSizeExceeded", { kind: "unsuitable", enhanced: "5.3.4" }),
    problem(403, "ErrorAccessDenied", "broken"),
    problem(400, "ErrorAccessDenied", "broken"),
    problem(403, "ErrorSendAsDenied", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(403, "ErrorMessageSubmissionBlocked", "broken"),
    problem(403, "ErrorExceededMessageLimit", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(507, "ErrorQuotaExceeded", { kind: "broken", retryAfterMs: HOUR_MS }),
    problem(404, "ErrorInvalidUser", "broken"),
    problem(404, "MailboxNotEnabledForRESTAPI", "broken"),
    problem(401, "InvalidAuthenticationToken", "broken"),
  ],
};

contract(GRAPH);

Deno.test("relay graph: a message whose fields name its envelope goes out as it is", async () => {
  const message = PLAIN.replace(/^Bcc: .*\r\n/m, "");
  const recipients = ["carol@one.example", "ann@one.example", "bob@two.example"];
  const { requests, report } = await attempt(GRAPH, message, { recipients }, { rawOnly: true });
  assertEquals(requests.map(messageOf).map((octets) => new TextDecoder().decode(octets)), [
    message,
  ]);
  assertEquals(report.losses, undefined);
});

Deno.test("relay graph: the national cloud chooses the host", () => {
  const clock = { now: () => 0, monotonic: () => 0, schedule: () => () => {} };
  const hostOf = (region?: string) =>
    createGraph(graphConfig.parse({ ...TABLE, region }), { name: "out", fetch, clock })
      .destinationOf("one.example");
  assertEquals(hostOf(), "graph.microsoft.com");
  assertEquals(hostOf("us-gov"), "graph.microsoft.us");
  assertEquals(hostOf("china"), "microsoftgraph.chinacloudapi.cn");
});

Deno.test("relay graph: a token that was revoked is replaced once", async () => {
  const statuses = [401, 202, 401, 401];
  let tokens = 0;
  const revoked: ProviderCase = {
    ...GRAPH,
    prelude: ({ target }) =>
      target === "/token" ? answer(200, { access_token: `token-${++tokens}` }) : null,
    accept: () => ({ kind: "answer", status: statuses.shift() ?? 500 }),
  };
  const first = await attempt(revoked, PLAIN, { recipients: ["ann@one.example"] });
  expect(first.report.outcomes, "delivered", "replaced");
  const second = await attempt(revoked, PLAIN, { recipients: ["ann@one.example"] });
  expect(second.report.outcomes, "broken", "refused twice");
  const used = second.requests.map(({ headers }) => headers.get("authorization"));
  assertEquals([used.length, new Set(used).size], [2, 2]);
});
