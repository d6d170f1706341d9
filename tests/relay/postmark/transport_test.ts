import { assertEquals } from "@std/assert";
import { postmarkConfig } from "../../../src/relay/postmark/config.ts";
import { ANSWERS, createPostmark } from "../../../src/relay/postmark/transport.ts";
import {
  type AnswerRow,
  attempt,
  contract,
  ENVELOPE,
  expect,
  type ProviderCase,
} from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { answer, jsonOf } from "../requests.ts";

function problem(
  status: number,
  ErrorCode: number,
  expected: AnswerRow["expect"],
  Message = "Said by Postmark",
): AnswerRow {
  return { what: `code ${ErrorCode}`, status, body: { ErrorCode, Message }, expect: expected };
}

/** The addresses of a list as Postmark takes it. */
function listed(text: string | undefined): string[] {
  return [
    ...(text ?? "").matchAll(/<([^<>]+)>(?:, |$)|((?:"[^"]*"|[^\s",<>]+)@[^\s,<>]+)(?:, |$)/g),
  ]
    .map(([, named, plain]) => named ?? plain ?? "");
}

const INACTIVE = "Inactive recipients are ones that have generated a hard bounce.";

const POSTMARK: ProviderCase = {
  name: "postmark",
  create: (baseUrl, options) =>
    createPostmark(
      postmarkConfig.parse({ server_token: "t-1", message_stream: "outbound", base_url: baseUrl }),
      options,
    ),
  accept: () => answer(200, { ErrorCode: 0, Message: "OK", MessageID: "b7bc", To: "x" }),
  remoteId: "postmark:b7bc",
  queueId: (request) => jsonOf(request).Metadata.posthouse_id,
  deliverySet: (request) => {
    const { To, Cc, Bcc } = jsonOf(request);
    return [To, Cc, Bcc].flatMap(listed);
  },
  checkRequest(request) {
    assertEquals(request.target, "/email");
    assertEquals(request.headers.get("x-postmark-server-token"), "t-1");
    assertEquals(jsonOf(request).MessageStream, "outbound");
    assertEquals([jsonOf(request).TrackOpens, jsonOf(request).TrackLinks], [false, "None"]);
  },
  converts: true,
  maxRecipients: 50,
  maxBytes: 10_000_000,
  refuseSomebody: answer(422, { ErrorCode: 300, Message: "Invalid 'To' address" }),
  answers: ANSWERS,
  rows: [
    {
      what: "one left out",
      status: 200,
      body: {
        ErrorCode: 0,
        MessageID: "b7bc",
        Message: "Message OK, but will not deliver to these inactive addresses: " +
          `bob@two.example. ${INACTIVE}`,
      },
      expect: ["delivered", { kind: "permanent", enhanced: "5.1.1" }, "delivered", "delivered"],
    },
    problem(401, 10, "broken"),
    problem(422, 300, "unsuitable"),
    problem(422, 400, { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(422, 401, "unsuitable"),
    problem(422, 402, "unsuitable"),
    problem(422, 403, "unsuitable"),
    problem(422, 405, "broken"),
    problem(422, 406, { kind: "permanent", enhanced: "5.1.1" }),
    problem(
      422,
      406,
      [{ kind: "temporary", counts: false }, "temporary", "permanent", "permanent"],
      `Found inactive addresses: carol@one.example, blind@four.example.\n ${INACTIVE}`,
    ),
    problem(422, 409, "broken"),
    problem(422, 411, "unsuitable"),
    problem(422, 412, "broken"),
    problem(422, 413, "broken"),
    problem(422, 429, { kind: "temporary", counts: false }),
    problem(422, 1235, "broken"),
    problem(422, 1236, "broken"),
    problem(422, 9999, "unsuitable"),
    problem(500, 100, { kind: "temporary", counts: false }),
    problem(503, 100, { kind: "temporary", counts: false }),
  ],
};

contract(POSTMARK);

Deno.test("relay postmark: what a message becomes", async () => {
  const { requests } = await attempt(POSTMARK, RICH, { recipients: ENVELOPE });
  const { From, To, Bcc, Subject, TextBody, HtmlBody, Headers, Attachments } = jsonOf(requests[0]!);
  assertEquals(From, '"Jörg Sender" <joerg@sender.example>');
  assertEquals(To, '"Doe, Ann" <ann@one.example>, bob@two.example');
  assertEquals(Bcc, "carol@one.example, blind@four.example");
  assertEquals([Subject, TextBody], ["Report", "Grüße\n"]);
  assertEquals(HtmlBody, '<p>Grüße <img src="cid:logo@sender.example"></p>');
  assertEquals(Headers, [
    { Name: "Message-ID", Value: "<m1@sender.example>" },
    { Name: "X-PM-KeepID", Value: "true" },
  ]);
  assertEquals(Attachments, [
    {
      Name: "logo.png",
      Content: "iVBORw0KGgo=",
      ContentType: "image/png",
      ContentID: "cid:logo@sender.example",
    },
    { Name: "résumé.pdf", Content: "JVBERi0xLjQK", ContentType: "application/pdf" },
  ]);
});

Deno.test("relay postmark: one request for each recipient whom no field names", async () => {
  const recipients = ["x@five.example", "y@six.example", "z@seven.example"];
  const { requests } = await attempt(POSTMARK, PLAIN, { recipients });
  assertEquals(requests.map((request) => jsonOf(request).To), recipients);
  assertEquals(jsonOf(requests[0]!).Tag, "invoice");
});

Deno.test("relay postmark: trouble with the first request spares the server the others", async () => {
  let seen = 0;
  const { requests, report } = await attempt(
    {
      ...POSTMARK,
      accept: (request) =>
        seen++ === 1 ? { kind: "answer", status: 429 } : POSTMARK.accept(request),
    },
    PLAIN,
    { recipients: ["x@five.example", "y@six.example", "z@seven.example"] },
  );
  assertEquals(requests.length, 2);
  expect(report.outcomes, ["delivered", "temporary", "temporary"], "too fast");
});
