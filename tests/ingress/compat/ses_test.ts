/** What becomes of SES's requests, signed here as AWS describes it. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import PostalMime from "postal-mime";
import { reply } from "../../../src/mail/reply.ts";
import { CLIENT, CompatBench, KEY } from "./desk_setup.ts";

const PATH = "/ses/v2/email/outbound-emails";
const SCOPE = "20260101/eu-west-1/ses/aws4_request";

function signed(
  body: string,
  { name = KEY.name, secret = "good", path = PATH } = {},
): RequestInit {
  const sha256 = (data: string) => createHash("sha256").update(data).digest("hex");
  const fields = { host: "relay.test", "x-amz-date": "20260101T000000Z" };
  const canonical = [
    ...["POST", `/compat${path}`, ""],
    ...Object.entries(fields).map(([name, value]) => `${name}:${value}`),
    ...["", Object.keys(fields).join(";"), sha256(body)],
  ].join("\n");
  const text = ["AWS4-HMAC-SHA256", fields["x-amz-date"], SCOPE, sha256(canonical)].join("\n");
  const steps = [...SCOPE.split("/"), text];
  const signature = steps.reduce<Buffer>(
    (key, step) => createHmac("sha256", key).update(step).digest(),
    Buffer.from(`AWS4${secret}`),
  ).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${name}/${SCOPE}, ` +
    `SignedHeaders=${Object.keys(fields).join(";")}, Signature=${signature}`;
  return { body, headers: { ...fields, authorization, "content-type": "application/json" } };
}

async function ask(request: unknown, { bench = new CompatBench(), ...by }: {
  bench?: CompatBench;
  name?: string;
  secret?: string;
} = {}) {
  const { response, body } = await bench.ask(PATH, signed(JSON.stringify(request), by));
  const { message = "" } = body as { message?: string };
  return {
    status: response.status,
    type: response.headers.get("x-amzn-errortype"),
    message,
    bench,
  };
}

const SIMPLE = {
  FromEmailAddress: "Shop <a@shop.test>",
  Destination: {
    ToAddresses: ["Bob <b@dest.test>"],
    CcAddresses: ["c@dest.test"],
    BccAddresses: ["d@dest.test"],
  },
  Content: { Simple: { Subject: { Data: "Hello" }, Body: { Text: { Data: "plain" } } } },
};

Deno.test("compat ses: a simple message with all it may have", async () => {
  const { status, bench } = await ask({
    ...SIMPLE,
    ReplyToAddresses: ["r@shop.test"],
    FeedbackForwardingEmailAddress: "bounce@shop.test",
    Content: {
      Simple: {
        Subject: { Data: "Hello" },
        Body: { Text: { Data: "plain" }, Html: { Data: "<b>rich</b>" } },
        Headers: [{ Name: "X-Order", Value: "17" }],
        Attachments: [
          { RawContent: btoa("one"), FileName: "one" },
          {
            ...{ RawContent: btoa("i"), FileName: "i.png", ContentType: "image/png" },
            ...{ ContentDisposition: "INLINE", ContentId: "logo" },
          },
          { RawContent: btoa("j"), FileName: "j.png", ContentDisposition: "INLINE" },
          { RawContent: btoa("k"), FileName: "k.png", ContentId: "not-shown" },
        ],
      },
    },
  });
  assertEquals(status, 200);
  const [message] = bench.messages;
  assertEquals([message?.from, message?.to], [
    ...["bounce@shop.test", ["b@dest.test", "c@dest.test", "d@dest.test"]],
  ]);
  const email = await PostalMime.parse(message?.text ?? "");
  assertEquals([email.subject, email.text?.trim(), email.html?.trim(), email.from?.name], [
    ...["Hello", "plain", "<b>rich</b>", "Shop"],
  ]);
  assertEquals([email.to?.[0]?.name, email.cc?.length, email.bcc], ["Bob", 1, undefined]);
  assertEquals(email.replyTo?.[0]?.address, "r@shop.test");
  assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
  assertEquals(
    email.attachments.map(({ filename, mimeType, contentId }) => [filename, mimeType, contentId])
      .sort(),
    [
      ["i.png", "image/png", "<logo>"],
      ["j.png", "application/octet-stream", "<j.png>"],
      ["k.png", "application/octet-stream", undefined],
      ["one", "application/octet-stream", undefined],
    ],
  );
});

Deno.test("compat ses: a whole message goes to whom the request names, else to whom it names", async () => {
  const raw = "From: a@shop.test\r\nTo: x@dest.test\r\nCc: y@dest.test\r\n\r\nText\r\n";
  const request = { Content: { Raw: { Data: btoa(raw) } } };
  const cases: readonly (readonly [Record<string, unknown>, string, readonly string[]])[] = [
    [{}, "a@shop.test", ["x@dest.test", "y@dest.test"]],
    [{ Destination: SIMPLE.Destination }, "a@shop.test", [
      ...["b@dest.test", "c@dest.test", "d@dest.test"],
    ]],
    [{ FromEmailAddress: "o@shop.test" }, "o@shop.test", ["x@dest.test", "y@dest.test"]],
    [{ FromEmailAddress: "", FeedbackForwardingEmailAddress: "f@shop.test" }, "f@shop.test", [
      ...["x@dest.test", "y@dest.test"],
    ]],
  ];
  for (const [changes, from, to] of cases) {
    const { bench } = await ask({ ...request, ...changes });
    const [message] = bench.messages;
    assertEquals([message?.from, message?.to, message?.text], [from, to, raw]);
  }
});

Deno.test("compat ses: who may not send is told why, and counted", async () => {
  const unknown = await ask(SIMPLE, { name: "other" });
  assertEquals([unknown.status, unknown.type], [403, "UnrecognizedClientException"]);
  assertEquals(unknown.message, "There is no token with the name of this access key");
  const forged = await ask(SIMPLE, { secret: "wrong" });
  assertEquals([forged.status, forged.type], [403, "InvalidSignatureException"]);
  const bench = new CompatBench();
  bench.key = { ...KEY, send: false };
  const reader = await ask(SIMPLE, { bench });
  assertEquals(reader.type, "UnrecognizedClientException");
  for (const { bench } of [unknown, forged, reader]) {
    assertEquals([bench.failures, bench.messages.length], [[CLIENT], 0]);
  }
});

Deno.test("compat ses: an address that has to wait is not listened to", async () => {
  const bench = new CompatBench();
  bench.barred.add(CLIENT);
  const { status, type } = await ask(SIMPLE, { bench });
  assertEquals([status, type, bench.failures], [403, "InvalidSignatureException", []]);
});

Deno.test("compat ses: a request without a signature is not counted", async () => {
  const bench = new CompatBench();
  const { response } = await bench.ask(PATH, { body: "{}" });
  assertEquals([response.status, response.headers.get("x-amzn-errortype"), bench.failures], [
    ...[403, "MissingAuthenticationTokenException", []],
  ]);
});

Deno.test("compat ses: hands in for the key", async () => {
  const { bench } = await ask(SIMPLE);
  const by = {
    ...{
      user: "key app",
      identity: "key key1",
      senders: KEY.senders,
      senderCheck: "both" as const,
    },
    clientAddress: CLIENT,
  };
  assertEquals(bench.requests, [{ by }]);
  assertEquals(bench.messages[0]?.from, "a@shop.test");
});

Deno.test("compat ses: what is not taken has a name of SES's", async () => {
  const refused = (code: number, enhanced: "5.7.1" | "4.7.1") =>
    ({ kind: "refused", reply: reply(code, enhanced, "Because"), index: 0 }) as const;
  const cases = [
    [refused(550, "5.7.1"), 400, "MessageRejected"],
    [refused(450, "4.7.1"), 503, "ServiceUnavailable"],
    [{ kind: "failed", failure: "full" } as const, 503, "ServiceUnavailable"],
    [{ kind: "conflict", reason: "under_way" } as const, 400, "ConflictException"],
  ] as const;
  for (const [answer, status, type] of cases) {
    const bench = new CompatBench();
    bench.answers.push(answer);
    const told = await ask(SIMPLE, { bench });
    assertEquals([told.status, told.type], [status, type]);
  }
});

const MISTAKES: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ Content: {} }, "Content must be Raw or Simple"],
  [{ FromEmailAddress: null }, "`FromEmailAddress` must be one mail address"],
  [{ Destination: { CcAddresses: ["nobody"] } }, "`CcAddresses` is not a valid mail address"],
  [{ ReplyToAddresses: ["nobody"] }, "`ReplyToAddresses` is not a valid"],
  [{ Content: { Raw: { Data: "*" } } }, "`Content.Raw.Data` is not base64"],
  [{ Content: 1 }, "`Content`"],
];

for (const [changes, words] of MISTAKES) {
  Deno.test(`compat ses: is told that ${words}`, async () => {
    const { status, type, message, bench } = await ask({ ...SIMPLE, ...changes });
    assertEquals([status, type, bench.messages.length], [400, "BadRequestException", 0]);
    assertStringIncludes(message, words);
  });
}
