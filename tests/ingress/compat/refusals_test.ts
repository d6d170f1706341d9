/** What the providers' own clients say of requests that are not taken. */
import { SendBulkEmailCommand, SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import sendgrid from "@sendgrid/mail";
import { assertEquals, assertStringIncludes } from "@std/assert";
import Mailgun from "mailgun.js";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import { received, SECRET, withRelay } from "./relay.ts";

const SMALL = `limits.message_size = "100KiB"`;
/** Larger than a message may be, and than a request may be. */
const SIZES = [120_000, 3_000_000];

// deno-lint-ignore no-explicit-any -- the clients throw what their types do not tell
async function errorOf(run: () => Promise<unknown>): Promise<any> {
  return await run().then((result) => ({ none: result }), (error) => error);
}

Deno.test("compat: what mailgun.js says of refusals", () =>
  withRelay(async ({ base, running }) => {
    const { messages, domains } = new Mailgun(FormData)
      .client({ username: "api", key: SECRET, url: `${base}/mailgun` });
    const send = (changes: Record<string, unknown>) =>
      errorOf(() =>
        messages.create(
          "shop.test",
          {
            ...{ from: "a@shop.test", to: ["b@dest.test"], subject: "x", text: "x" },
            ...changes,
          } as Parameters<typeof messages.create>[1],
        )
      );
    const cases: [Record<string, unknown>, number, string][] = [
      [{ to: ["nobody"] }, 400, "`to` is not a valid mail address"],
      [{ template: "welcome" }, 400, "'template' is not supported"],
      [{ "recipient-variables": "{}" }, 400, "'recipient-variables' is not supported"],
      [{ "o:testmode": "yes" }, 400, "'o:testmode' is not supported"],
      [{ text: "x".repeat(SIZES[0] ?? 0) }, 413, "552 5.3.4"],
      [{ text: "x".repeat(SIZES[1] ?? 0) }, 413, "larger than allowed"],
    ];
    for (const [changes, status, details] of cases) {
      const error = await send(changes);
      assertEquals(error.status, status, details);
      assertStringIncludes(error.details, details);
    }
    const unknown = await errorOf(() => domains.list());
    assertStringIncludes(unknown.details, "GET /compat/mailgun/v4/domains is not supported");
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
  }, SMALL));

Deno.test("compat: what @sendgrid/mail says of refusals", () =>
  withRelay(async ({ base, running }) => {
    sendgrid.setApiKey(SECRET);
    // @ts-ignore: the client is there, its type does not say so.
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
    const letter = { from: "a@shop.test", to: "b@dest.test", subject: "x", text: "x" };
    const cases: [Record<string, unknown>, number, string][] = [
      [{ to: "nobody" }, 400, "personalizations.0.to.0.email"],
      [{ templateId: "d-1" }, 400, "Templates are not supported"],
      [{ text: "x".repeat(SIZES[0] ?? 0) }, 413, "552 5.3.4"],
      [{ text: "x".repeat(SIZES[1] ?? 0) }, 413, "larger than allowed"],
    ];
    for (const [changes, status, message] of cases) {
      const error = await errorOf(() => sendgrid.send({ ...letter, ...changes }));
      assertEquals(error.code, status, message);
      assertStringIncludes(error.response.body.errors[0].message, message);
    }
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
  }, SMALL));

Deno.test("compat: what postmark says of refusals", () =>
  withRelay(async ({ base, running }) => {
    const client = new ServerClient(SECRET, {
      requestHost: `${base.replace("http://", "")}/postmark`,
      useHttps: false,
    });
    const letter = { From: "a@shop.test", To: "b@dest.test", Subject: "x", TextBody: "x" };
    const template = { From: letter.From, To: letter.To, TemplateId: 1, TemplateModel: {} };
    const cases: [() => Promise<unknown>, number, string][] = [
      [() => client.sendEmail({ ...letter, To: "nobody" }), 300, "`To` is not a valid"],
      [() => client.sendEmail({ ...letter, TextBody: "x".repeat(SIZES[0] ?? 0) }), 300, "5.3.4"],
      [() => client.sendEmail({ ...letter, TextBody: "x".repeat(SIZES[1] ?? 0) }), 300, "larger"],
      [() => client.sendEmailWithTemplate(template), 1101, "Templates are not supported"],
      [() => client.sendEmailBatchWithTemplates([template]), 1101, "Templates are not supported"],
      [() => client.getServer(), 300, "GET /compat/postmark/server is not supported"],
    ];
    for (const [run, code, message] of cases) {
      const error = await errorOf(run);
      assertEquals(error.code, code, message);
      assertStringIncludes(error.message, message);
    }
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
    const answers = await client.sendEmailBatch([letter, { ...letter, To: "nobody" }]);
    assertEquals(answers.map(({ ErrorCode }) => ErrorCode), [0, 300]);
  }, SMALL));

Deno.test("compat: what resend says of refusals", () =>
  withRelay(async ({ base, running, sink }) => {
    const { emails, batch, domains } = new Resend(SECRET, { baseUrl: `${base}/resend` });
    const letter = { from: "a@shop.test", to: "b@dest.test", subject: "x", text: "x" };
    const template = { ...letter, template: { id: "welcome" } } as unknown as typeof letter;
    const cases: [Promise<{ error: { name: string; message: string } | null }>, string, string][] =
      [
        [emails.send({ ...letter, to: "nobody" }), "validation_error", "`to` is not a valid"],
        [emails.send({ ...letter, to: [] }), "validation_error", "No recipients"],
        [emails.send(template), "validation_error", "Templates are not supported"],
        [emails.send({ ...letter, text: "x".repeat(SIZES[0] ?? 0) }), "validation_error", "5.3.4"],
        [emails.send({ ...letter, text: "x".repeat(SIZES[1] ?? 0) }), "validation_error", "larger"],
        [domains.list(), "not_found", "GET /compat/resend/domains is not supported"],
      ];
    for (const [answer, name, message] of cases) {
      const { error } = await answer;
      assertEquals(error?.name, name, message);
      assertStringIncludes(error?.message ?? "", message);
    }
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
    const stranger = { ...letter, from: "eve@other.test" };
    const letters = [letter, { ...letter, to: "nobody" }, stranger, {
      ...letter,
      to: "c@dest.test",
    }];
    const options = { batchValidation: "permissive" } as const;
    const { data } = await batch.send(letters, options);
    assertEquals(data?.data.length, 2);
    assertEquals(data?.errors?.map(({ index }) => index), [1, 2]);
    await sink.waitForMessages(2);
  }, SMALL));

Deno.test("compat: what @aws-sdk/client-sesv2 says of refusals", () =>
  withRelay(async ({ base, running }) => {
    const client = new SESv2Client({
      ...{ region: "eu-west-1", endpoint: `${base}/ses`, maxAttempts: 1 },
      credentials: { accessKeyId: "app", secretAccessKey: SECRET },
    });
    const send = (to: string, text: string) =>
      client.send(
        new SendEmailCommand({
          FromEmailAddress: "a@shop.test",
          Destination: { ToAddresses: [to] },
          Content: { Simple: { Subject: { Data: "x" }, Body: { Text: { Data: text } } } },
        }),
      );
    const bulk = () =>
      client.send(
        new SendBulkEmailCommand({
          DefaultContent: { Template: { TemplateName: "welcome" } },
          BulkEmailEntries: [{ Destination: { ToAddresses: ["b@dest.test"] } }],
        }),
      );
    const cases: [() => Promise<unknown>, string, string][] = [
      [() => send("nobody", "x"), "BadRequestException", "`ToAddresses` is not a valid"],
      [() => send("b@dest.test", "x".repeat(SIZES[0] ?? 0)), "MessageRejected", "5.3.4"],
      [() => send("b@dest.test", "x".repeat(SIZES[1] ?? 0)), "MessageRejected", "larger"],
      [bulk, "NotFoundException", "outbound-bulk-emails is not supported"],
    ];
    for (const [run, name, message] of cases) {
      const error = await errorOf(run);
      assertEquals(error.name, name, message);
      assertStringIncludes(error.message, message);
    }
    client.destroy();
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
  }, SMALL));

Deno.test("compat: an invitation that @sendgrid/mail sends stays a form of the text", () =>
  withRelay(async ({ base, sink }) => {
    sendgrid.setApiKey(SECRET);
    // @ts-ignore: the client is there, its type does not say so.
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
    await sendgrid.send({
      ...{ from: "a@shop.test", to: "b@dest.test", subject: "Meeting" },
      content: [
        { type: "text/plain", value: "Come." },
        { type: "text/calendar; method=REQUEST", value: "BEGIN:VCALENDAR\r\nEND:VCALENDAR" },
      ],
    });
    await received(sink);
    const text = new TextDecoder().decode(sink.messages[0]?.data);
    assertStringIncludes(text, "Content-Type: multipart/alternative;");
    assertStringIncludes(text, "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n");
    assertStringIncludes(text, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n--");
  }));
