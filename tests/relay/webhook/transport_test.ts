import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createHash, createHmac } from "node:crypto";
import { webhookConfig } from "../../../src/relay/webhook/config.ts";
import { ANSWERS, createWebhook } from "../../../src/relay/webhook/transport.ts";
import { attempt, contract, ENVELOPE, NOW_MS, type ProviderCase } from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { fromBase64, jsonOf } from "../requests.ts";
import type { RecordedRequest } from "../../support/http_recorder.ts";

const SECRET = "a-shared-secret";

/** The signature as the other side computes it from what came. */
function checkSignature({ headers, body }: RecordedRequest): void {
  const text = [
    headers.get("x-posthouse-timestamp"),
    headers.get("x-posthouse-id"),
    headers.get("x-posthouse-mail-from"),
    headers.get("x-posthouse-rcpt-to"),
    createHash("sha256").update(body).digest("hex"),
  ].join("\n");
  const hmac = createHmac("sha256", SECRET).update(text).digest("hex");
  assertEquals(headers.get("x-posthouse-signature"), `v1=${hmac}`);
  assertEquals(headers.get("x-posthouse-timestamp"), String(NOW_MS / 1000));
}

function results(particular: Record<string, unknown>): unknown {
  return {
    recipients: ENVELOPE.map((address, index) => ({
      address,
      code: 250,
      ...(index === 2 ? particular : {}),
    })),
  };
}

const RAW: ProviderCase = {
  name: "webhook",
  create: (baseUrl, options) =>
    createWebhook(webhookConfig.parse({ url: `${baseUrl}/in/mail`, secret: SECRET }), options),
  accept: () => ({ kind: "answer", status: 204 }),
  deliverySet: ({ headers }) =>
    headers.get("x-posthouse-rcpt-to")?.split(",").map(decodeURIComponent) ?? [],
  checkRequest(request) {
    assertEquals(request.target, "/in/mail");
    assertEquals(request.headers.get("content-type"), "message/rfc822");
    assertEquals(request.headers.get("x-posthouse-id"), "0Q8XYZ0000000001");
    assertEquals(request.headers.get("x-posthouse-mail-from"), "bounces@sender.example");
    checkSignature(request);
  },
  rawOctets: ({ body }) => body,
  anyOctets: true,
  international: true,
  statusProves: true,
  maxRecipients: 1000,
  answers: ANSWERS,
  rows: [
    { what: "taken", status: 200, body: "thanks", expect: "delivered" },
    { what: "taken", status: 202, body: {}, expect: "delivered" },
    { what: "a bad message", status: 400, expect: "permanent" },
    { what: "a bad message", status: 422, body: { message: "No." }, expect: "permanent" },
    { what: "gone", status: 410, expect: "broken" },
    {
      what: "one refused",
      status: 200,
      body: results({ code: 550, enhanced: "5.1.1", text: "Nobody here" }),
      expect: ["delivered", "delivered", { kind: "permanent", enhanced: "5.1.1" }, "delivered"],
    },
    {
      what: "one later",
      status: 200,
      body: results({ code: "450", enhanced: "5.1.1" }),
      expect: ["delivered", "delivered", { kind: "temporary", enhanced: "4.3.0" }, "delivered"],
    },
    {
      what: "one without a code",
      status: 200,
      body: results({ code: null }),
      expect: ["delivered", "delivered", "temporary", "delivered"],
    },
  ],
};

contract(RAW);

contract({
  ...RAW,
  name: "webhook (json)",
  create: (baseUrl, options) => {
    const table = { url: baseUrl, format: "json", secret: SECRET, bearer_token: "token-1" };
    return createWebhook(webhookConfig.parse(table), options);
  },
  deliverySet: (request) => jsonOf(request).rcpt_to,
  checkRequest(request) {
    assertEquals(request.headers.get("content-type"), "application/json");
    assertEquals(request.headers.get("authorization"), "Bearer token-1");
    const { message: _, ...envelope } = jsonOf(request);
    assertEquals(envelope, {
      id: "0Q8XYZ0000000001",
      mail_from: "bounces@sender.example",
      rcpt_to: ENVELOPE,
      received_at: "2026-01-02T03:04:05.000Z",
    });
    checkSignature(request);
  },
  rawOctets: (request) => fromBase64(jsonOf(request).message),
});

const { rawOctets: _, anyOctets: __, ...PARSED } = {
  ...RAW,
  name: "webhook (parsed)",
  format: "parsed",
  create: (baseUrl, options) => {
    const table = { url: baseUrl, format: "parsed", secret: SECRET };
    return createWebhook(webhookConfig.parse(table), options);
  },
  deliverySet: (request) => jsonOf(request).rcpt_to,
  checkRequest(request) {
    assertEquals(request.headers.get("content-type"), "application/json");
    checkSignature(request);
  },
} satisfies ProviderCase;
contract({ ...PARSED, converts: true });

Deno.test("relay webhook: a message taken apart says all that it says", async () => {
  const { requests: [request], report } = await attempt(PARSED, RICH, { recipients: ENVELOPE });
  assert(request !== undefined);
  const { headers, id, mail_from, rcpt_to, received_at, ...parsed } = jsonOf(request);
  assertEquals([id, mail_from, rcpt_to, received_at], [
    ...["0Q8XYZ0000000001", "bounces@sender.example", ENVELOPE, "2026-01-02T03:04:05.000Z"],
  ]);
  assertEquals(headers[0], { name: "From", value: "Jörg Sender <joerg@sender.example>" });
  assertEquals(headers.at(-1).name, "Content-Type");
  assertEquals(parsed, {
    from: [{ name: "Jörg Sender", address: "joerg@sender.example" }],
    sender: null,
    reply_to: [],
    to: [
      { name: "Doe, Ann", address: "ann@one.example" },
      { name: "", address: "bob@two.example" },
    ],
    cc: [],
    subject: "Report",
    message_id: "<m1@sender.example>",
    text: "Grüße\n",
    html: '<p>Grüße <img src="cid:logo@sender.example"></p>',
    attachments: [
      {
        ...{ filename: "logo.png", content_type: "image/png", size: 8, content: "iVBORw0KGgo=" },
        content_id: "logo@sender.example",
      },
      {
        ...{ filename: "résumé.pdf", content_type: "application/pdf", size: 9 },
        ...{ content_id: null, content: "JVBERi0xLjQK" },
      },
    ],
    losses: [],
  });
  assertEquals(report.losses, undefined);
});

Deno.test("relay webhook: what is too complex to be taken apart is left to another transport", async () => {
  const parts = "--b\r\n\r\nx\r\n".repeat(10_001);
  const message = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts}--b--\r\n`;
  const { requests, report } = await attempt(PARSED, message, { recipients: ENVELOPE });
  assertEquals([requests.length, report.outcomes[0]?.kind], [0, "unsuitable"]);
});

Deno.test("relay webhook: an attempt has a key that only its recipients change", async () => {
  const keys: (string | undefined)[] = [];
  for (const recipients of [ENVELOPE, ENVELOPE, ENVELOPE.slice(1)]) {
    const { requests } = await attempt(RAW, PLAIN, { recipients });
    keys.push(requests[0]?.headers.get("idempotency-key"));
  }
  assertEquals(keys[0], keys[1]);
  assertNotEquals(keys[0], keys[2]);
});

Deno.test("relay webhook: the null reverse-path is empty", async () => {
  const { requests } = await attempt(RAW, PLAIN, { recipients: ENVELOPE, reversePath: "" });
  assertEquals(requests[0]?.headers.get("x-posthouse-mail-from"), "");
});
