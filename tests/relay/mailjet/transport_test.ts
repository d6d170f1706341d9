import { assertEquals } from "@std/assert";
import { mailjetConfig } from "../../../src/relay/mailjet/config.ts";
import { ANSWERS, createMailjet } from "../../../src/relay/mailjet/transport.ts";
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

interface Mailbox {
  readonly Email: string;
}

interface Message {
  readonly To: Mailbox[];
  readonly Cc?: Mailbox[];
  readonly Bcc?: Mailbox[];
}

/** A result of one message, in error. */
function failed(
  { status, code, about = [], http = 400, expected }: {
    status?: number;
    code: string;
    about?: string[];
    http?: number;
    expected: AnswerRow["expect"];
  },
): AnswerRow {
  const error = { ErrorCode: code, StatusCode: status, ErrorMessage: "No", ErrorRelatedTo: about };
  const body = { Messages: [{ Status: "error", Errors: [error] }] };
  return { what: `${code} ${status}`, status: http, body, expect: expected };
}

function success({ To }: Message): unknown {
  return { Status: "success", To: To.map(({ Email }) => ({ Email, MessageID: 456 })) };
}

const MAILJET: ProviderCase = {
  name: "mailjet",
  create: (baseUrl, options) =>
    createMailjet(
      mailjetConfig.parse({ api_key: "pub", secret_key: "priv", base_url: baseUrl }),
      options,
    ),
  accept: (request) => answer(200, { Messages: jsonOf(request).Messages.map(success) }),
  deliverySet: (request) =>
    jsonOf(request).Messages.flatMap(({ To, Cc = [], Bcc = [] }: Message) =>
      [...To, ...Cc, ...Bcc].map(({ Email }) => Email)
    ),
  checkRequest(request) {
    assertEquals(request.target, "/v3.1/send");
    assertEquals(request.headers.get("authorization"), `Basic ${btoa("pub:priv")}`);
    assertEquals(jsonOf(request).Globals.CustomID, "0Q8XYZ0000000001");
  },
  converts: true,
  maxRecipients: 50,
  maxBytes: 15_000_000,
  answers: ANSWERS,
  rows: [
    failed({ status: 400, code: "mj-0013", expected: "unsuitable" }),
    failed({ status: 400, code: "mj-0013", http: 200, expected: "unsuitable" }),
    failed({
      status: 400,
      code: "mj-0013",
      about: ["To[1].Email"],
      expected: [{ kind: "temporary", counts: false }, "permanent", "temporary", "temporary"],
    }),
    failed({
      status: 400,
      code: "mj-0013",
      about: ["Messages[0].Cc[0].Email", "Bcc[0].Email"],
      expected: ["temporary", "temporary", "permanent", { kind: "permanent", enhanced: "5.1.3" }],
    }),
    failed({ status: 403, code: "send-0008", about: ["From"], expected: "unsuitable" }),
    failed({ status: 403, code: "send-0006", about: ["From"], expected: "unsuitable" }),
    failed({ status: 403, code: "send-0007", about: ["From"], expected: "unsuitable" }),
    { what: "a request it cannot take", status: 422, expect: "unsuitable" },
    failed({ status: 403, code: "mj-9999", expected: "broken" }),
    failed({ status: 500, code: "mj-9999", expected: { kind: "temporary", counts: false } }),
    failed({ code: "mj-9999", expected: "temporary" }),
    {
      what: "a wrong key",
      status: 401,
      body: { ErrorCode: "mj-0015", StatusCode: 401, ErrorMessage: "No" },
      expect: "broken",
    },
    {
      what: "a blocked account",
      status: 401,
      body: { ErrorCode: "mj-0001", StatusCode: 401 },
      expect: "broken",
    },
    {
      what: "a bad request",
      status: 400,
      body: { ErrorCode: "mj-0002", StatusCode: 400 },
      expect: "unsuitable",
    },
    { what: "no results", status: 200, body: { Messages: [] }, expect: "uncertain" },
  ],
};

contract(MAILJET);

Deno.test("relay mailjet: what a message becomes", async () => {
  const { requests } = await attempt(MAILJET, RICH, { recipients: ENVELOPE });
  const { Globals, Messages } = jsonOf(requests[0]!);
  assertEquals(Globals.From, { Email: "joerg@sender.example", Name: "Jörg Sender" });
  assertEquals([Globals.TextPart, Globals.TrackOpens], ["Grüße\n", "disabled"]);
  assertEquals(Globals.InlinedAttachments, [{
    ContentType: "image/png",
    Filename: "logo.png",
    ContentID: "logo@sender.example",
    Base64Content: "iVBORw0KGgo=",
  }]);
  assertEquals(Globals.Attachments.length, 1);
  assertEquals(Messages.length, 1);
});

Deno.test("relay mailjet: each message of one request has its own result", async () => {
  const recipients = ["x@five.example", "y@six.example", "z@seven.example"];
  const { requests, report } = await attempt(
    {
      ...MAILJET,
      accept: (request) => {
        const [first] = jsonOf(request).Messages;
        const error = { ErrorCode: "mj-0013", StatusCode: 400, ErrorRelatedTo: ["To[0].Email"] };
        return answer(200, { Messages: [success(first), { Status: "error", Errors: [error] }] });
      },
    },
    PLAIN,
    { recipients },
  );
  assertEquals(requests.length, 1);
  expect(report.outcomes, ["delivered", "permanent", "uncertain"], "results");
});
