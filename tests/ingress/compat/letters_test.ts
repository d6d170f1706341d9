/** What becomes of each field of the providers' requests. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import PostalMime from "postal-mime";
import { CompatBench, type HandedIn, NOW_MS } from "./desk_setup.ts";

const JSON_TYPE = { "content-type": "application/json" };
const BEARER = { ...JSON_TYPE, authorization: "Bearer good" };
const BASIC = { authorization: `Basic ${btoa("api:good")}` };
const TOKEN = { ...JSON_TYPE, "x-postmark-server-token": "good" };
const HOUR_MS = 3_600_000;

async function handIn(path: string, init: RequestInit): Promise<HandedIn> {
  const bench = new CompatBench();
  const { response, body } = await bench.ask(path, init);
  assertEquals(response.ok, true, JSON.stringify(body));
  return bench.messages[0] as HandedIn;
}

async function complaint(path: string, init: RequestInit): Promise<string> {
  const bench = new CompatBench();
  const { response, body } = await bench.ask(path, init);
  assertEquals([response.ok, bench.messages.length], [false, 0]);
  return JSON.stringify(body);
}

function form(fields: readonly (readonly [string, string | File])[]): RequestInit {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  return { headers: BASIC, body };
}

/** Name, type and Content-ID of each attachment, by name; other forms of the text are none. */
function filesOf({ attachments }: Awaited<ReturnType<typeof PostalMime.parse>>) {
  return attachments.filter(({ filename }) => filename !== null)
    .map(({ filename, mimeType, contentId }) => [filename, mimeType, contentId]).sort();
}

const json = (headers: Record<string, string>, body: unknown): RequestInit => ({
  headers,
  body: JSON.stringify(body),
});

Deno.test("compat letters: mailgun", async () => {
  const { from, to, text, holdUntilMs } = await handIn(
    "/mailgun/v3/shop.test/messages",
    form([
      ["from", "Shop <a@shop.test>"],
      ["to", "Ada <b@dest.test>, c@dest.test"],
      ["to", "d@dest.test"],
      ["cc", "e@dest.test"],
      ["bcc", "f@dest.test"],
      ["subject", "Hello"],
      ["text", "plain"],
      ["html", "<b>rich</b>"],
      ["amp-html", "<html amp4email>"],
      ["h:X-Order", "17"],
      ["h:Reply-To", "help@shop.test"],
      ["o:tracking", "yes"],
      ["o:testmode", "no"],
      ["o:deliverytime", "in 2 hours"],
      ["attachment", new File(["one"], "one.txt", { type: "text/plain" })],
      ["attachment", new File(["two"], "two")],
      ["inline", new File(["img"], "my logo.png", { type: "image/png" })],
    ]),
  );
  assertEquals(from, "a@shop.test");
  assertEquals(to, ["b", "c", "d", "e", "f"].map((name) => `${name}@dest.test`));
  assertEquals(holdUntilMs, NOW_MS + 2 * HOUR_MS);
  const email = await PostalMime.parse(text);
  assertEquals([email.from?.name, email.subject, email.text?.trim(), email.html?.trim()], [
    ...["Shop", "Hello", "plain", "<b>rich</b>"],
  ]);
  assertEquals([email.to?.length, email.cc?.length, email.bcc], [3, 1, undefined]);
  assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
  assertEquals(email.replyTo?.[0]?.address, "help@shop.test");
  assertStringIncludes(text, "text/x-amp-html");
  assertEquals(
    filesOf(email),
    [
      ["my logo.png", "image/png", "<my_logo.png>"],
      ["one.txt", "text/plain", undefined],
      ["two", "application/octet-stream", undefined],
    ],
  );
});

const MAILGUN_MISTAKES:
  readonly (readonly [fields: readonly (readonly [string, string])[], string])[] = [
    [[["from", "a@shop.test"], ["cc", "b@dest.test"]], "'to' parameter is missing"],
    [[["to", "b@dest.test"]], "`from` must be one mail address"],
    [[["from", "a@shop.test, b@shop.test"], ["to", "b@dest.test"]], "`from` must be one"],
    [
      [["from", "a@shop.test"], ["to", "b@dest.test"], ["template", "t"]],
      "'template' is not supported",
    ],
    [
      [["from", "a@shop.test"], ["to", "b@dest.test"], ["o:deliverytime", "soon"]],
      "`o:deliverytime` is not a valid time",
    ],
  ];

for (const [fields, words] of MAILGUN_MISTAKES) {
  Deno.test(`compat letters: mailgun is told that ${words}`, async () => {
    assertStringIncludes(await complaint("/mailgun/v3/shop.test/messages", form(fields)), words);
  });
}

Deno.test("compat letters: mailgun's whole messages", async () => {
  const path = "/mailgun/v3/shop.test/messages.mime";
  const message = "From: a@shop.test\r\nTo: x@dest.test\r\n\r\nText\r\n";
  for (const part of [message, new File([message], "m.eml")]) {
    const { from, to, text } = await handIn(path, form([["to", "b@dest.test"], ["message", part]]));
    assertEquals([from, to, text], ["a@shop.test", ["b@dest.test"], message]);
  }
  assertStringIncludes(await complaint(path, form([["to", "b@dest.test"]])), "'message' parameter");
  assertStringIncludes(await complaint(path, form([["message", message]])), "'to' parameter");
  assertStringIncludes(
    await complaint(path, { headers: BASIC, body: "x" }),
    "The body is not a form",
  );
});

Deno.test("compat letters: times as RFC 5322 says them, or from now on", async () => {
  const cases: readonly (readonly [string, number])[] = [
    ["Thu, 01 Jan 2026 01:00:00 GMT", NOW_MS + HOUR_MS],
    ["2026-01-01T01:00:00Z", NOW_MS + HOUR_MS],
    ["in 30 sec", NOW_MS + 30_000],
    ["in 1 second", NOW_MS + 1000],
    ["in 5 min", NOW_MS + 300_000],
    ["in 5 minutes", NOW_MS + 300_000],
    ["In 1 H", NOW_MS + HOUR_MS],
    ["in 1 hour", NOW_MS + HOUR_MS],
    ["in 2 days", NOW_MS + 48 * HOUR_MS],
    ["in 1 week", NOW_MS + 168 * HOUR_MS],
  ];
  for (const [at, expected] of cases) {
    const body = { from: "a@shop.test", to: "b@dest.test", text: "t", scheduled_at: at };
    const { holdUntilMs } = await handIn("/resend/emails", json(BEARER, body));
    assertEquals(holdUntilMs, expected, at);
  }
  for (const at of ["in 1 blink", "in 1234567 days", "later"]) {
    const body = { from: "a@shop.test", to: "b@dest.test", text: "t", scheduled_at: at };
    assertStringIncludes(
      await complaint("/resend/emails", json(BEARER, body)),
      "`scheduled_at` is not a valid time",
    );
  }
});

Deno.test("compat letters: sendgrid", async () => {
  const { from, to, text, holdUntilMs } = await handIn(
    "/sendgrid/v3/mail/send",
    json(BEARER, {
      personalizations: [{
        ...{ to: [{ email: "b@dest.test", name: "Bob" }], cc: [{ email: "c@dest.test" }] },
        ...{ bcc: [{ email: "d@dest.test" }], headers: { "X-A": "own", "X-B": "b" } },
        ...{ subject: "Own", send_at: NOW_MS / 1000 + 60 },
      }],
      from: { email: "a@shop.test", name: "Shop" },
      reply_to_list: [{ email: "r@shop.test" }, { email: "s@shop.test" }],
      subject: "General",
      send_at: NOW_MS / 1000 + 30,
      headers: { "X-A": "general", "X-C": "c" },
      content: [
        { type: "text/plain", value: "plain" },
        { type: "text/html", value: "<b>rich</b>" },
        { type: "text/x-amp-html", value: "<html amp4email>" },
      ],
      attachments: [
        { content: btoa("one"), filename: "one.bin" },
        { content: btoa("i"), filename: "i.png", type: "image/png", disposition: "inline" },
        {
          ...{ content: btoa("j"), filename: "j.png", type: "image/png" },
          ...{ disposition: "inline", content_id: "logo" },
        },
        { content: btoa("k"), filename: "k.png", type: "image/png", content_id: "not-shown" },
      ],
    }),
  );
  assertEquals([from, to], ["a@shop.test", ["b@dest.test", "c@dest.test", "d@dest.test"]]);
  assertEquals(holdUntilMs, NOW_MS + 60_000);
  const email = await PostalMime.parse(text);
  const field = (name: string) => email.headers.find(({ key }) => key === name)?.value;
  assertEquals([email.subject, field("x-a"), field("x-b"), field("x-c")], ["Own", "own", "b", "c"]);
  assertEquals([email.from?.name, email.to?.[0]?.name, email.bcc], ["Shop", "Bob", undefined]);
  assertEquals(email.replyTo?.map(({ address }) => address), ["r@shop.test", "s@shop.test"]);
  assertEquals([email.text?.trim(), email.html?.trim()], ["plain", "<b>rich</b>"]);
  assertStringIncludes(text, "text/x-amp-html");
  assertEquals(
    filesOf(email),
    [
      ["i.png", "image/png", "<i.png>"],
      ["j.png", "image/png", "<logo>"],
      ["k.png", "image/png", undefined],
      ["one.bin", "application/octet-stream", undefined],
    ],
  );
});

Deno.test("compat letters: sendgrid's defaults, and what is of the whole request", async () => {
  const { text, holdUntilMs } = await handIn(
    "/sendgrid/v3/mail/send",
    json(BEARER, {
      personalizations: [{ to: [{ email: "b@dest.test" }] }],
      from: { email: "a@shop.test" },
      reply_to: { email: "r@shop.test" },
      send_at: NOW_MS / 1000 + 30,
      subject: "General",
    }),
  );
  const email = await PostalMime.parse(text);
  assertEquals([email.subject, email.replyTo?.length], ["General", 1]);
  assertEquals(holdUntilMs, NOW_MS + 30_000);
});

Deno.test("compat letters: sendgrid's sandbox takes nothing, and no more than a real one would", async () => {
  const bench = new CompatBench();
  const body = {
    personalizations: [{ to: [{ email: "b@dest.test" }] }],
    from: { email: "a@shop.test" },
    mail_settings: { sandbox_mode: { enable: true } },
  };
  const ask = (changes: Record<string, unknown>) =>
    bench.ask("/sendgrid/v3/mail/send", json(BEARER, { ...body, ...changes }));
  assertEquals((await ask({})).response.status, 200);
  assertEquals((await ask({ template_id: "d-1" })).response.status, 400);
  assertEquals(bench.messages, []);
  assertEquals(
    (await ask({ mail_settings: { sandbox_mode: { enable: false } } })).response.status,
    202,
  );
});

const SENDGRID_MISTAKES: readonly (readonly [Record<string, unknown>, string, string | null])[] = [
  [{ personalizations: [] }, "`personalizations`", "personalizations"],
  [
    { personalizations: [{ to: [{ email: "b@dest.test" }], substitutions: { "-x-": "y" } }] },
    "Substitutions are not supported",
    "personalizations.0.substitutions",
  ],
  [{ from: { email: "nobody" } }, "`from.email` is not a valid mail address", "from.email"],
  [{ reply_to: { email: "nobody" } }, "`reply_to.email` is not", "reply_to.email"],
  [
    { attachments: [{ content: "*", filename: "x" }] },
    "`attachments.0.content` is not base64",
    "attachments.0.content",
  ],
];

for (const [changes, message, field] of SENDGRID_MISTAKES) {
  Deno.test(`compat letters: sendgrid is told that ${message}`, async () => {
    const request = {
      personalizations: [{ to: [{ email: "b@dest.test" }] }],
      from: { email: "a@shop.test" },
      ...changes,
    };
    const bench = new CompatBench();
    const { response, body } = await bench.ask("/sendgrid/v3/mail/send", json(BEARER, request));
    const [error] = (body as { errors: { message: string; field: string | null }[] }).errors;
    assertEquals([response.status, error?.field], [400, field]);
    assertStringIncludes(error?.message ?? "", message);
  });
}

Deno.test("compat letters: postmark", async () => {
  const { from, to, text } = await handIn(
    "/postmark/email",
    json(TOKEN, {
      ...{ From: "Shop <a@shop.test>", To: "Bob <b@dest.test>", Cc: "c@dest.test" },
      ...{ Bcc: "d@dest.test", ReplyTo: "r@shop.test", Subject: "Hello" },
      ...{ TextBody: "plain", HtmlBody: "<b>rich</b>" },
      Headers: [{ Name: "X-Order", Value: "17" }],
      Attachments: [
        { Name: "i.png", Content: btoa("i"), ContentType: "image/png", ContentID: "cid:logo" },
        { Name: "one", Content: btoa("one") },
      ],
    }),
  );
  assertEquals([from, to], ["a@shop.test", ["b@dest.test", "c@dest.test", "d@dest.test"]]);
  const email = await PostalMime.parse(text);
  assertEquals([email.from?.name, email.to?.[0]?.name, email.cc?.length, email.bcc], [
    ...["Shop", "Bob", 1, undefined],
  ]);
  assertEquals([email.subject, email.text?.trim(), email.html?.trim()], [
    ...["Hello", "plain", "<b>rich</b>"],
  ]);
  assertEquals(email.replyTo?.[0]?.address, "r@shop.test");
  assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
  assertEquals(
    filesOf(email),
    [["i.png", "image/png", "<logo>"], ["one", "application/octet-stream", undefined]],
  );
});

Deno.test("compat letters: resend", async () => {
  const { from, to, text } = await handIn(
    "/resend/emails",
    json(BEARER, {
      ...{
        from: "Shop <a@shop.test>",
        to: ["b@dest.test"],
        cc: "c@dest.test",
        bcc: ["d@dest.test"],
      },
      ...{ reply_to: "r@shop.test", subject: "Hello", text: "plain", html: "<b>rich</b>" },
      headers: { "X-Order": "17" },
      attachments: [
        { filename: "one", content: btoa("one") },
        { content: { type: "Buffer", data: [1, 255] }, filename: "b.bin", content_id: "b" },
        { content: btoa("c"), filename: "c.png", content_type: "image/png" },
      ],
    }),
  );
  assertEquals([from, to], ["a@shop.test", ["b@dest.test", "c@dest.test", "d@dest.test"]]);
  const email = await PostalMime.parse(text);
  assertEquals(
    [email.subject, email.text?.trim(), email.html?.trim(), email.cc?.length, email.bcc],
    [
      ...["Hello", "plain", "<b>rich</b>", 1, undefined],
    ],
  );
  assertEquals(email.replyTo?.[0]?.address, "r@shop.test");
  assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
  assertEquals(
    filesOf(email),
    [
      ["b.bin", "application/octet-stream", "<b>"],
      ["c.png", "image/png", undefined],
      ["one", "application/octet-stream", undefined],
    ],
  );
  const octets = email.attachments.find(({ filename }) => filename === "b.bin")?.content;
  assertEquals(new Uint8Array(octets as ArrayBuffer), Uint8Array.of(1, 255));
});

const RESEND_MISTAKES: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ template: { id: "t" } }, "Templates are not supported"],
  [{ attachments: [{ path: "https://x.test/a" }] }, "URLs are not fetched"],
  [{ attachments: [{ content: "*", filename: "x" }] }, "`attachments.0.content` is not base64"],
  [
    { attachments: [{ content: { type: "Buffer", data: [256] }, filename: "x" }] },
    "`attachments.0.content`",
  ],
  [{ from: undefined }, "`from`"],
  [{ cc: "nobody" }, "`cc` is not a valid mail address"],
];

for (const [changes, words] of RESEND_MISTAKES) {
  Deno.test(`compat letters: resend is told that ${words}`, async () => {
    const body = { from: "a@shop.test", to: "b@dest.test", ...changes };
    assertStringIncludes(await complaint("/resend/emails", json(BEARER, body)), words);
  });
}

Deno.test("compat letters: resend's and sendgrid's nulls are nothing", async () => {
  const letter = {
    ...{ from: "a@shop.test", to: "b@dest.test", text: "t", template: null, scheduled_at: null },
  };
  const { holdUntilMs } = await handIn("/resend/emails", json(BEARER, { ...letter, cc: null }));
  assertEquals(holdUntilMs, undefined);
});

Deno.test("compat letters: a body that is no JSON is told so", async () => {
  for (const [path, headers] of [["/resend/emails", BEARER], ["/postmark/email", TOKEN]] as const) {
    assertStringIncludes(
      await complaint(path, { headers, body: "{" }),
      "The body is not valid JSON",
    );
  }
});

Deno.test("compat letters: a header field that the relay makes itself is refused, and which", async () => {
  const letter = { from: "a@shop.test", to: "b@dest.test", text: "t" };
  const bad = { ...letter, headers: { "Message-Id\r\nX": "x" } };
  const first = await complaint("/resend/emails", json(BEARER, bad));
  assertEquals(first.includes("Message 1 of"), false);
  const second = await complaint("/resend/emails/batch", json(BEARER, [letter, bad]));
  assertStringIncludes(second, "Message 2 of 2: ");
});

Deno.test("compat letters: every message has a Message-ID of its own", async () => {
  const bench = new CompatBench();
  const letter = { from: "a@shop.test", to: "b@dest.test", text: "t" };
  await bench.ask("/resend/emails/batch", json(BEARER, [letter, letter]));
  const ids = bench.messages.map(({ text }) =>
    /^Message-ID: (<\S+@relay\.test>)/im.exec(text)?.[1]
  );
  assertEquals([ids.length, new Set(ids).size, ids.includes(undefined)], [2, 2, false]);
});

Deno.test("compat letters: mailgun takes files however their names are written", async () => {
  const file = (disposition: string, content: string) =>
    `--b\r\nContent-Disposition: form-data; ${disposition}\r\n` +
    `Content-Type: application/pdf\r\n\r\n${content}\r\n`;
  const field = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const body = field("from", "a@shop.test") + field("to", "b@dest.test") + field("text", "Grüße") +
    file("name=attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf", "one") +
    file('name="attachment"; filename="Größe 2.pdf"', "two\r\n--bb") +
    file('name="attachment[1]"', "three") +
    file('name="inline"; filename="the logo.png"', "four") + "--b--\r\n";
  const headers = { ...BASIC, "content-type": "multipart/form-data; boundary=b" };
  const { text } = await handIn("/mailgun/v3/shop.test/messages", { headers, body });
  const parsed = await PostalMime.parse(text);
  assertEquals(parsed.text?.trim(), "Grüße");
  const files = parsed.attachments.map(({ filename, contentId, content }) => [
    ...[filename, contentId ?? ""],
    typeof content === "string" ? content : new TextDecoder().decode(content),
  ]);
  assertEquals(
    files.sort(),
    [
      ["Größe 2.pdf", "", "two\r\n--bb"],
      ["Größe.pdf", "", "one"],
      [null, "", "three"],
      ["the logo.png", "<the_logo.png>", "four"],
    ].sort(),
  );
  const stray = field("from", "a@shop.test") + field("to", "b@dest.test") +
    file('name="document"; filename="x.pdf"', "x") + "--b--\r\n";
  assertStringIncludes(
    await complaint("/mailgun/v3/shop.test/messages", { headers, body: stray }),
    "document",
  );
  await complaint("/mailgun/v3/shop.test/messages", { headers, body: body.slice(0, -10) });
});

Deno.test("compat letters: a null says nothing, at every door", async () => {
  const sendgrid = {
    personalizations: [{ to: [{ email: "b@dest.test", name: null }], cc: null, subject: null }],
    ...{ from: { email: "a@shop.test", name: null }, reply_to: null, reply_to_list: null },
    ...{ subject: "x", headers: null, send_at: null, template_id: null, mail_settings: null },
    content: [{ type: "text/html", value: '<img src="cid:logo">' }],
    attachments: [{
      ...{ content: btoa("x"), filename: "logo.png", type: null, disposition: "inline" },
      content_id: "<logo>",
    }],
  };
  const { text } = await handIn("/sendgrid/v3/mail/send", json(BEARER, sendgrid));
  assertStringIncludes(text, "Content-ID: <logo>");
  const resend = {
    ...{ from: "a@shop.test", to: "b@dest.test", cc: null, subject: null, text: "x", html: null },
    ...{ headers: null, tags: null, scheduled_at: null },
    attachments: [{ content: btoa("x"), filename: null, path: null, content_id: null }],
  };
  await handIn("/resend/emails", json(BEARER, resend));
  const postmark = {
    ...{ From: "a@shop.test", To: "b@dest.test", Cc: null, Subject: null, TextBody: "x" },
    ...{ Headers: null, Attachments: null, MessageStream: null },
  };
  await handIn("/postmark/email", json(TOKEN, postmark));
});

Deno.test("compat letters: a picture that HTML refers to is shown, even if it is not said to be inline", async () => {
  const content = [{ type: "text/html", value: '<img src="cid:logo">' }];
  const attachments = ["logo", "other"].map((id) => ({
    ...{ content: btoa(id), filename: `${id}.png`, type: "image/png", content_id: id },
  }));
  const { text } = await handIn(
    "/sendgrid/v3/mail/send",
    json(BEARER, { ...SENDGRID, content, attachments }),
  );
  assertStringIncludes(text, "Content-ID: <logo>\r\nContent-Disposition: inline");
  assert(!text.includes("<other>"));
});

Deno.test("compat letters: sendgrid refuses what it could not carry", async () => {
  const content = ["one", "two"].map((value) => ({ type: "text/plain", value }));
  const request = {
    ...{ personalizations: [{ to: [{ email: "b@dest.test" }] }], from: { email: "a@shop.test" } },
    ...{ subject: "x", content },
  };
  assertStringIncludes(
    await complaint("/sendgrid/v3/mail/send", json(BEARER, request)),
    "two contents",
  );
});

const MAILGUN = "/mailgun/v3/shop.test/messages";
const ADDRESSED = [["from", "a@shop.test"], ["to", "b@dest.test"]] as const;
const SENDGRID = {
  personalizations: [{ to: [{ email: "b@dest.test" }] }],
  ...{ from: { email: "a@shop.test" }, subject: "x" },
};
const POSTMARK = { From: "a@shop.test", To: "b@dest.test" };
const RESEND = { from: "a@shop.test", to: ["b@dest.test"], subject: "x" };
const PLAIN = [{ type: "text/plain", value: "x" }];
const url = (fields: readonly (readonly [string, string])[]): RequestInit => ({
  headers: { ...BASIC, "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields.map(([name, value]) => [name, value])).toString(),
});

/** Requests that say something which would be lost, and what of the answer says so. */
const LOSING: readonly (readonly [what: string, path: string, init: RequestInit, words: string])[] =
  [
    ["two texts", MAILGUN, form([...ADDRESSED, ["text", "1"], ["text", "2"]]), "'text' is given 2"],
    ["a file as text", MAILGUN, url([...ADDRESSED, ["text", "x"], ["attachment", "y"]]), "a file"],
    [
      "TLS for all of the way",
      MAILGUN,
      form([...ADDRESSED, ["text", "x"], ["o:require-tls", "yes"]]),
      "o:require-tls",
    ],
    ...([
      [
        "a footer",
        { content: PLAIN, mail_settings: { footer: { enable: true, text: "f" } } },
        "footer",
      ],
      [
        "a copy",
        { content: PLAIN, mail_settings: { bcc: { enable: true, email: "c@d.test" } } },
        "bcc",
      ],
      ["replyTo", { content: PLAIN, replyTo: { email: "c@d.test" } }, "did you mean reply_to?"],
    ] as const).map(([what, more, words]) =>
      [
        `sendgrid: ${what}`,
        "/sendgrid/v3/mail/send",
        json(BEARER, { ...SENDGRID, ...more }),
        words,
      ] as const
    ),
    [
      "sendgrid: a key of a personalization",
      "/sendgrid/v3/mail/send",
      json(BEARER, {
        ...SENDGRID,
        personalizations: [{ to: [{ email: "b@dest.test" }], BCC: [{ email: "c@d.test" }] }],
        content: PLAIN,
      }),
      "`personalizations.0.BCC` is not supported; did you mean bcc?",
    ],
    ...([
      ["no content", {}, "TextBody or HtmlBody"],
      ["a template", { TextBody: "x", TemplateId: 5 }, "Templates"],
      ["cc", { TextBody: "x", cc: "c@d.test" }, "did you mean Cc?"],
    ] as const).map(([what, more, words]) =>
      [
        `postmark: ${what}`,
        "/postmark/email",
        json(TOKEN, { ...POSTMARK, ...more }),
        words,
      ] as const
    ),
    ...([
      ["no content", { react: {} }, "Missing `html` or `text`"],
      ["replyTo", { text: "x", replyTo: "c@d.test" }, "did you mean reply_to?"],
      [
        "contentId of a file",
        { text: "x", attachments: [{ content: "eA==", filename: "a", contentId: "b" }] },
        "`attachments.0.contentId` is not supported; did you mean content_id?",
      ],
    ] as const).map(([what, more, words]) =>
      [`resend: ${what}`, "/resend/emails", json(BEARER, { ...RESEND, ...more }), words] as const
    ),
  ];

for (const [what, path, init, words] of LOSING) {
  Deno.test(`compat letters: refused is what would be lost: ${path} ${what}`, async () => {
    assertStringIncludes(await complaint(path, init), words);
  });
}

Deno.test("compat letters: every mailbox and every text is taken, however it is written", async () => {
  const mailgun = await handIn(
    MAILGUN,
    form([
      ...[["from", "a@shop.test"], ["to[0]", "b@dest.test"], ["to[1]", "c@dest.test"]] as const,
      ...[["Cc", "d@dest.test"], ["bcc[]", "e@dest.test"], ["text", "x"]] as const,
      ["o:require-tls", "False"],
    ]),
  );
  assertEquals(mailgun.to, ["b", "c", "d", "e"].map((name) => `${name}@dest.test`));
  const sendgrid = await handIn(
    "/sendgrid/v3/mail/send",
    json(BEARER, {
      ...SENDGRID,
      ...{ reply_to: { email: "r@shop.test" }, reply_to_list: [{ email: "s@shop.test" }] },
      content: [{ type: "TEXT/HTML; charset=utf-8", value: '<img src="cid:logo">' }],
      attachments: [
        { content: btoa("x"), filename: "logo", disposition: "Inline", content_id: "logo" },
      ],
    }),
  );
  const { html, attachments, replyTo } = await PostalMime.parse(sendgrid.text);
  assertEquals(replyTo?.map(({ address }) => address), ["r@shop.test", "s@shop.test"]);
  assertEquals([html?.trim(), attachments[0]?.contentId], ['<img src="cid:logo">', "<logo>"]);
});
