import { assertEquals, assertMatch } from "@std/assert";
import { posthouseConfig } from "../../../src/relay/posthouse/config.ts";
import { ANSWERS, createPosthouse } from "../../../src/relay/posthouse/transport.ts";
import { contract } from "../contract.ts";
import { answer } from "../requests.ts";

contract({
  name: "posthouse",
  create: (baseUrl, options) =>
    createPosthouse(posthouseConfig.parse({ url: `${baseUrl}/`, api_key: "key-1" }), options),
  accept: () => answer(202, { id: "0Q8XYZ0000000002" }),
  deliverySet: ({ headers }) =>
    headers.get("x-posthouse-rcpt-to")?.split(",").map(decodeURIComponent) ?? [],
  checkRequest({ target, headers }) {
    assertEquals(target, "/api/v1/messages");
    assertEquals(headers.get("authorization"), "Bearer key-1");
    assertEquals(headers.get("content-type"), "message/rfc822");
    assertEquals(headers.get("x-posthouse-mail-from"), "bounces@sender.example");
    assertMatch(headers.get("idempotency-key") ?? "", /^0Q8XYZ0000000001-[0-9a-f]{32}$/);
  },
  rawOctets: ({ body }) => body,
  anyOctets: true,
  international: true,
  maxRecipients: 100,
  answers: ANSWERS,
  rows: [
    { what: "taken", status: 201, body: { id: "0Q8XYZ0000000002" }, expect: "delivered" },
    {
      what: "a bad envelope",
      status: 400,
      body: { type: "about:blank", title: "Bad envelope", status: 400 },
      expect: "permanent",
    },
    { what: "refused by policy", status: 422, body: { title: "Refused" }, expect: "permanent" },
    {
      what: "some recipients refused",
      status: 422,
      body: {
        type: "/problems/refused",
        recipients: [
          { address: "BOB@two.example", reply: "550 5.7.1 Not here" },
          { address: "carol@one.example", reply: "451 4.3.0 Not now" },
        ],
      },
      expect: [
        { kind: "temporary", enhanced: "4.3.0", counts: false },
        { kind: "permanent", enhanced: "5.7.1" },
        { kind: "temporary", enhanced: "4.3.0" },
        { kind: "temporary", enhanced: "4.3.0", counts: false },
      ],
    },
    {
      what: "the same key for something else",
      status: 422,
      body: { type: "/problems/key-taken" },
      expect: "uncertain",
    },
    {
      what: "too many recipients",
      status: 413,
      body: { type: "/problems/too-many-recipients" },
      expect: { kind: "unsuitable", enhanced: "5.5.3" },
    },
    { what: "the same key at work", status: 409, expect: "temporary" },
    { what: "a full store", status: 507, expect: { kind: "temporary", counts: false } },
  ],
});
