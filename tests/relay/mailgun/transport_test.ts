import { assertEquals } from "@std/assert";
import { mailgunConfig } from "../../../src/relay/mailgun/config.ts";
import { ANSWERS, createMailgun } from "../../../src/relay/mailgun/transport.ts";
import { contract, type ProviderCase } from "../contract.ts";
import { answer, formPartsOf } from "../requests.ts";
import type { RecordedRequest } from "../../support/http_recorder.ts";

const TABLE = { domain: "mg.sender.example", api_key: "key-1", tags: ["spring"] };

function fieldsOf(request: RecordedRequest, name: string): string[] {
  return formPartsOf(request).filter((part) => part.name === name)
    .map(({ octets }) => new TextDecoder().decode(octets));
}

const MAILGUN: ProviderCase = {
  name: "mailgun",
  create: (baseUrl, options) =>
    createMailgun(mailgunConfig.parse({ ...TABLE, base_url: baseUrl }), options),
  accept: () => answer(200, { id: "<1.2@mg.sender.example>", message: "Queued. Thank you." }),
  remoteId: "mailgun:<1.2@mg.sender.example>",
  queueId: (request) => fieldsOf(request, "v:posthouse_id")[0],
  deliverySet: (request) => fieldsOf(request, "to"),
  checkRequest(request) {
    assertEquals(request.target, "/v3/mg.sender.example/messages.mime");
    assertEquals(request.headers.get("authorization"), `Basic ${btoa("api:key-1")}`);
    assertEquals(fieldsOf(request, "o:tracking"), ["no"]);
    assertEquals(fieldsOf(request, "o:tag"), ["spring"]);
    const message = formPartsOf(request).find(({ name }) => name === "message");
    assertEquals(message?.contentType, "message/rfc822");
    assertEquals(message?.filename, "message.eml"); // Mailgun insists on a file
  },
  rawOctets: (request) =>
    formPartsOf(request).find(({ name }) => name === "message")?.octets ?? new Uint8Array(),
  anyOctets: true,
  maxRecipients: 1000,
  maxBytes: 25 * 1024 * 1024,
  refuseSomebody: answer(400, { message: "to parameter is not a valid address" }),
  answers: ANSWERS,
  rows: [
    { what: "taken", status: 200, body: { id: "<1@x>", message: "Queued." }, expect: "delivered" },
    { what: "no id", status: 200, body: { message: "Hello" }, expect: "uncertain" },
    {
      what: "a bad parameter",
      status: 400,
      body: { message: "to parameter is not a valid address" },
      expect: { kind: "permanent", enhanced: "5.6.0" },
    },
    { what: "a wrong key", status: 401, body: "Forbidden", expect: "broken" },
    {
      what: "a disabled account",
      status: 403,
      body: { message: "Account mg.sender.example is disabled" },
      expect: "broken",
    },
    {
      what: "no such domain",
      status: 404,
      body: { message: "Domain not found" },
      expect: "broken",
    },
  ],
};

contract(MAILGUN);

Deno.test("relay mailgun: the region chooses the host", () => {
  const hostOf = (region?: string) =>
    createMailgun(mailgunConfig.parse({ ...TABLE, region }), {
      name: "out",
      fetch,
      clock: { now: () => 0, monotonic: () => 0, schedule: () => () => {} },
    }).destinationOf("one.example");
  assertEquals(hostOf(), "api.mailgun.net");
  assertEquals(hostOf("us"), "api.mailgun.net");
  assertEquals(hostOf("eu"), "api.eu.mailgun.net");
});
