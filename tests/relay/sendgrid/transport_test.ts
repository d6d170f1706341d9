import { assertEquals } from "@std/assert";
import { sendgridConfig } from "../../../src/relay/sendgrid/config.ts";
import { ANSWERS, createSendgrid } from "../../../src/relay/sendgrid/transport.ts";
import { type AnswerRow, attempt, contract, ENVELOPE, type ProviderCase } from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { jsonOf } from "../requests.ts";

interface Mailbox {
  readonly email: string;
}

function problem(status: number, field: string | null, expected: AnswerRow["expect"]): AnswerRow {
  const body = { errors: [{ message: "Said by SendGrid", field, help: null }] };
  return { what: `field ${field}`, status, body, expect: expected };
}

const SENDGRID: ProviderCase = {
  name: "sendgrid",
  create: (baseUrl, options) =>
    createSendgrid(sendgridConfig.parse({ api_key: "SG.1", base_url: baseUrl }), options),
  accept: () => ({ kind: "answer", status: 202, headers: { "x-message-id": "abc" } }),
  remoteId: "sendgrid:abc",
  queueId: (request) => jsonOf(request).custom_args.posthouse_id,
  deliverySet: (request) =>
    jsonOf(request).personalizations.flatMap((
      { to, cc = [], bcc = [] }: { to: Mailbox[]; cc?: Mailbox[]; bcc?: Mailbox[] },
    ) => [...to, ...cc, ...bcc].map(({ email }) => email)),
  checkRequest(request) {
    assertEquals(request.target, "/v3/mail/send");
    assertEquals(request.headers.get("authorization"), "Bearer SG.1");
    assertEquals(request.headers.get("content-type"), "application/json");
  },
  statusProves: true,
  converts: true,
  maxRecipients: 1000,
  maxBytes: 30_000_000,
  answers: ANSWERS,
  rows: [
    { what: "another success", status: 200, expect: "uncertain" },
    problem(400, "content.0.value", { kind: "unsuitable", enhanced: "5.6.0" }),
    problem(400, null, "unsuitable"),
    problem(400, "personalizations.0.cc.0.email", [
      { kind: "temporary", counts: false },
      { kind: "temporary", counts: false },
      { kind: "permanent", enhanced: "5.1.3" },
      { kind: "temporary", counts: false },
    ]),
    problem(400, "personalizations.0.bcc.0.email", [
      "temporary",
      "temporary",
      "temporary",
      "permanent",
    ]),
    problem(400, "personalizations.7.to.0", "unsuitable"),
    problem(401, null, "broken"),
    problem(403, "from.email", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(422, null, "unsuitable"),
    problem(403, "from", { kind: "unsuitable", enhanced: "5.7.1" }),
    problem(403, null, "broken"),
    problem(413, null, { kind: "unsuitable", enhanced: "5.3.4" }),
    {
      what: "too fast",
      status: 429,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767323075" },
      expect: { kind: "temporary", counts: false, retryAfterMs: 30_000 },
    },
  ],
};

contract(SENDGRID);

Deno.test("relay sendgrid: what a message becomes", async () => {
  const { requests } = await attempt(SENDGRID, RICH, { recipients: ENVELOPE });
  const { attachments, content, from, headers, personalizations, subject, tracking_settings } =
    jsonOf(requests[0]!);
  assertEquals(from, { email: "joerg@sender.example", name: "Jörg Sender" });
  assertEquals(subject, "Report");
  assertEquals(content, [
    { type: "text/plain", value: "Grüße\n" },
    { type: "text/html", value: '<p>Grüße <img src="cid:logo@sender.example"></p>' },
  ]);
  assertEquals(attachments, [
    {
      content: "iVBORw0KGgo=",
      type: "image/png",
      filename: "logo.png",
      disposition: "inline",
      content_id: "logo@sender.example",
    },
    {
      content: "JVBERi0xLjQK",
      type: "application/pdf",
      filename: "résumé.pdf",
      disposition: "attachment",
    },
  ]);
  assertEquals(headers, { "Message-ID": "<m1@sender.example>" });
  assertEquals(personalizations, [{
    to: [{ email: "ann@one.example", name: "Doe, Ann" }, { email: "bob@two.example" }],
    bcc: [{ email: "carol@one.example" }, { email: "blind@four.example" }],
  }]);
  assertEquals(tracking_settings.open_tracking, { enable: false });
});

Deno.test("relay sendgrid: fields and tags are carried", async () => {
  const { requests, report } = await attempt(SENDGRID, PLAIN, { recipients: ENVELOPE });
  const { categories, content, headers, reply_to_list, subject } = jsonOf(requests[0]!);
  assertEquals(subject, "Grüße from the team");
  assertEquals(content.length, 1);
  assertEquals(reply_to_list, [{ email: "support@sender.example", name: "Support" }]);
  assertEquals(headers, {
    "X-Campaign": "spring {{not a template}}",
    "List-Unsubscribe": "<mailto:leave@sender.example>",
    "Message-ID": "<m1@sender.example>",
  });
  assertEquals(categories, ["invoice"]);
  assertEquals(report.losses, undefined);
});

Deno.test("relay sendgrid: recipients whom no field names do not see each other", async () => {
  const recipients = ["x@five.example", "y@six.example"];
  const { requests, report } = await attempt(SENDGRID, PLAIN, { recipients });
  assertEquals(requests.length, 1);
  assertEquals(jsonOf(requests[0]!).personalizations, [
    { to: [{ email: "x@five.example" }] },
    { to: [{ email: "y@six.example" }] },
  ]);
  assertEquals(report.losses?.map(({ kind }) => kind), ["recipient_fields", "recipient_fields"]);
});

Deno.test("relay sendgrid: an empty message still has what the API insists on", async () => {
  const message = "From: a@b.example\r\nTo: ann@one.example\r\n\r\n";
  const { requests } = await attempt(SENDGRID, message, { recipients: ["ann@one.example"] });
  const { content, headers, subject } = jsonOf(requests[0]!);
  assertEquals(content, [{ type: "text/plain", value: " " }]);
  assertEquals(subject, "(no subject)");
  assertEquals(headers, { "Message-ID": "<0Q8XYZ0000000001@b.example>" });
});
