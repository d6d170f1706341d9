import { assertEquals } from "@std/assert";
import { mailchannelsConfig } from "../../../src/relay/mailchannels/config.ts";
import { ANSWERS, createMailchannels } from "../../../src/relay/mailchannels/transport.ts";
import { attempt, contract, ENVELOPE, expect, type ProviderCase } from "../contract.ts";
import { PLAIN, RICH } from "../messages.ts";
import { answer, jsonOf } from "../requests.ts";

interface Mailbox {
  readonly email: string;
}

const MAILCHANNELS: ProviderCase = {
  name: "mailchannels",
  create: (baseUrl, options) =>
    createMailchannels(
      mailchannelsConfig.parse({ api_key: "mc-1", base_url: `${baseUrl}/` }),
      options,
    ),
  accept: () => answer(202, { request_id: "r1", results: [{ index: 0, status: "sent" }] }),
  deliverySet: (request) =>
    jsonOf(request).personalizations.flatMap((
      { to, cc = [], bcc = [] }: { to: Mailbox[]; cc?: Mailbox[]; bcc?: Mailbox[] },
    ) => [...to, ...cc, ...bcc].map(({ email }) => email)),
  checkRequest(request) {
    assertEquals(request.target, "/tx/v1/send");
    assertEquals(request.headers.get("x-api-key"), "mc-1");
    assertEquals(jsonOf(request).envelope_from, { email: "bounces@sender.example" });
  },
  statusProves: true,
  converts: true,
  maxRecipients: 1000,
  maxBytes: 30_000_000,
  refuseSomebody: answer(400, { errors: ["bad recipient"] }),
  answers: ANSWERS,
  rows: [
    { what: "only a rehearsal", status: 200, body: { data: ["..."] }, expect: "uncertain" },
    {
      what: "failed",
      status: 202,
      body: { request_id: "r1", results: [{ index: 0, status: "failed", reason: "Later" }] },
      expect: "temporary",
    },
    { what: "a bad request", status: 400, body: { errors: ["No"] }, expect: "unsuitable" },
    { what: "a bad request", status: 422, body: { errors: ["No"] }, expect: "unsuitable" },
    { what: "no access", status: 403, body: { errors: ["No"] }, expect: "broken" },
    { what: "too large", status: 413, body: { errors: ["No"] }, expect: "unsuitable" },
  ],
};

contract(MAILCHANNELS);

Deno.test("relay mailchannels: what a message becomes", async () => {
  const { requests, report } = await attempt(MAILCHANNELS, RICH, { recipients: ENVELOPE });
  const { attachments, content, from, campaign_id } = jsonOf(requests[0]!);
  assertEquals(from, { email: "joerg@sender.example", name: "Jörg Sender" });
  assertEquals(content.map(({ type }: { type: string }) => type), ["text/plain", "text/html"]);
  assertEquals(attachments[1], {
    content: "JVBERi0xLjQK",
    filename: "résumé.pdf",
    type: "application/pdf",
  });
  assertEquals(campaign_id, undefined);
  assertEquals(report.losses?.map(({ what }) => what), ["Message-ID", "inline images"]);
});

Deno.test("relay mailchannels: each personalization has its own result", async () => {
  const { report } = await attempt(
    {
      ...MAILCHANNELS,
      accept: () =>
        answer(202, {
          request_id: "r1",
          results: [{ index: 0, status: "sent" }, { index: 1, status: "failed" }],
        }),
    },
    PLAIN,
    { recipients: ["x@five.example", "y@six.example"], reversePath: "" },
  );
  expect(report.outcomes, ["delivered", "temporary"], "results");
});
