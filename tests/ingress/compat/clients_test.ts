/** The providers' own clients, as they come from npm, with nothing changed but a base address. */
import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import sendgrid from "@sendgrid/mail";
import { assert, assertEquals, assertRejects } from "@std/assert";
import Mailgun from "mailgun.js";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import { received, SECRET, withRelay } from "./relay.ts";

const PDF = Uint8Array.from({ length: 300 }, (_, index) => index % 256);

Deno.test("compat: mailgun.js", () =>
  withRelay(async ({ sink, base, running }) => {
    const client = (key: string) =>
      new Mailgun(FormData).client({ username: "api", key, url: `${base}/mailgun` });
    const answer = await client(SECRET).messages.create("shop.test", {
      from: "Shop <orders@shop.test>",
      to: ["Ada Größe <ada@dest.test>"],
      bcc: "audit@dest.test",
      subject: "Bestellung 17 ✓",
      text: "Danke",
      html: "<b>Danke</b>",
      "h:X-Order": "17",
      attachment: [{ filename: "rechnung.pdf", data: new File([PDF], "rechnung.pdf") }],
    });
    assertEquals(answer.status, 200);
    assert(/^<[0-9A-Z]{16}@relay\.test>$/.test(answer.id ?? ""), answer.id);
    const { recipients, reversePath, email } = await received(sink);
    assertEquals(recipients, ["ada@dest.test", "audit@dest.test"]);
    assertEquals(reversePath, "orders@shop.test");
    assertEquals(email.subject, "Bestellung 17 ✓");
    assertEquals(email.to?.[0]?.name, "Ada Größe");
    assertEquals(email.headers.find(({ key }) => key === "x-order")?.value, "17");
    assertEquals(email.attachments[0]?.filename, "rechnung.pdf");
    await assertRejects(() =>
      client("wrong").messages.create("shop.test", {
        ...{ from: "a@shop.test", to: ["b@dest.test"], text: "x" },
      })
    );
    assertEquals(running.events.filter(({ type }) => type === "accepted").length, 1);
  }));

Deno.test("compat: mailgun.js sends a whole message, of which nobody sees the Bcc", () =>
  withRelay(async ({ sink, base }) => {
    const client = new Mailgun(FormData)
      .client({ username: "api", key: SECRET, url: `${base}/mailgun` });
    const message = "From: Shop <orders@shop.test>\r\nTo: everybody@dest.test\r\n" +
      "Bcc: hidden@dest.test\r\nSubject: raw\r\n\r\n.Text\r\n";
    await client.messages.create("shop.test", { to: ["ada@dest.test"], message });
    const { recipients, reversePath, email } = await received(sink);
    assertEquals([recipients, reversePath], [["ada@dest.test"], "orders@shop.test"]);
    assertEquals(email.headers.map(({ key }) => key), ["received", "from", "to", "subject"]);
    assertEquals(email.text, ".Text\n");
  }));

Deno.test("compat: @sendgrid/mail", () =>
  withRelay(async ({ sink, base }) => {
    sendgrid.setApiKey(SECRET);
    // @ts-ignore: the client is there, its type does not say so.
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
    const [answer] = await sendgrid.send({
      from: { email: "orders@shop.test", name: "Shop" },
      to: "ada@dest.test",
      cc: "bob@dest.test",
      subject: "Order 17",
      text: "Thanks",
      html: "<b>Thanks</b>",
      attachments: [{
        ...{ content: PDF.toBase64(), filename: "a.pdf", type: "application/pdf" },
        disposition: "attachment",
      }],
    });
    assertEquals(answer.statusCode, 202);
    assert(/^[0-9A-Z]{16}$/.test(answer.headers["x-message-id"]));
    const { recipients, email } = await received(sink);
    assertEquals(recipients, ["ada@dest.test", "bob@dest.test"]);
    assertEquals([email.from?.name, email.cc?.[0]?.address], ["Shop", "bob@dest.test"]);
    assertEquals(new Uint8Array(email.attachments[0]?.content as ArrayBuffer), PDF);
    const refused = await sendgrid.send({
      ...{ from: "eve@other.test", to: "ada@dest.test", subject: "x", text: "x" },
    }).then(() => null, (error) => error);
    assertEquals(refused.code, 400);
    assert(refused.response.body.errors[0].message.includes("5.7.1"));
  }));

Deno.test("compat: @sendgrid/mail sends several messages with one request, or none", () =>
  withRelay(async ({ sink, base, running }) => {
    sendgrid.setApiKey(SECRET);
    // @ts-ignore: the client is there, its type does not say so.
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
    const letter = (recipients: string[]) => ({
      ...{ from: "orders@shop.test", subject: "Hello", text: "Hello" },
      personalizations: recipients.map((email) => ({ to: [{ email }] })),
    });
    const broken = await sendgrid.send(letter(["ada@dest.test", "no mailbox"]))
      .then(() => null, (error) => error);
    assertEquals(broken.code, 400);
    assertEquals(broken.response.body.errors[0].field, "personalizations.1.to.0.email");
    const tooLong = await sendgrid.send(letter(["ada@dest.test", `${"x".repeat(300)}@dest.test`]))
      .then(() => null, (error) => error);
    assertEquals(tooLong.code, 400);
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
    await sendgrid.send(letter(["ada@dest.test", "bob@dest.test"]));
    await sink.waitForMessages(2);
    const recipients = sink.messages.map(({ recipients }) => recipients);
    assertEquals(recipients.flat().sort(), ["ada@dest.test", "bob@dest.test"]);
    assertEquals(recipients.length, 2);
  }));

Deno.test("compat: @sendgrid/mail, each message with an author of its own", () =>
  withRelay(async ({ sink, base }) => {
    sendgrid.setApiKey(SECRET);
    // @ts-ignore: the client is there, its type does not say so.
    sendgrid.client.setDefaultRequest("baseUrl", `${base}/sendgrid/`);
    const letter = (from: string) => ({
      ...{ from: "orders@shop.test", subject: "Hello", text: "Hello" },
      personalizations: [{ to: [{ email: "ada@dest.test" }], from: { email: from } }],
    });
    await sendgrid.send(letter("help@shop.test"));
    const { reversePath, email } = await received(sink);
    assertEquals([reversePath, email.from?.address], ["help@shop.test", "help@shop.test"]);
    const refused = await sendgrid.send(letter("eve@other.test")).then(
      () => null,
      (error) => error,
    );
    assertEquals(refused.code, 400);
  }));

Deno.test("compat: postmark", () =>
  withRelay(async ({ sink, base }) => {
    const client = (token: string) =>
      new ServerClient(token, {
        requestHost: `${base.replace("http://", "")}/postmark`,
        useHttps: false,
      });
    const answer = await client(SECRET).sendEmail({
      From: "Shop <orders@shop.test>",
      To: "ada@dest.test, Bob <bob@dest.test>",
      Subject: "Order 17",
      TextBody: "Thanks",
      Headers: [{ Name: "X-Order", Value: "17" }],
      Attachments: [{
        ...{ Name: "a.pdf", Content: PDF.toBase64(), ContentType: "application/pdf" },
        ContentID: null,
      }],
    });
    assertEquals([answer.ErrorCode, answer.Message], [0, "OK"]);
    assert(/^[0-9A-Z]{16}$/.test(answer.MessageID));
    const { recipients, email } = await received(sink);
    assertEquals(recipients, ["ada@dest.test", "bob@dest.test"]);
    assertEquals(email.attachments[0]?.filename, "a.pdf");
    const letter = { From: "a@shop.test", To: "b@dest.test", Subject: "x", TextBody: "x" };
    const invalid = await client("wrong").sendEmail(letter).then(() => null, (error) => error);
    assertEquals([invalid.statusCode, invalid.code], [401, 10]);
    const refused = await client(SECRET).sendEmail({ ...letter, From: "eve@other.test" })
      .then(() => null, (error) => error);
    assertEquals([refused.statusCode, refused.code], [422, 300]);
  }));

Deno.test("compat: resend", () =>
  withRelay(async ({ sink, base, running }) => {
    const client = new Resend(SECRET, { baseUrl: `${base}/resend` });
    const letter = {
      from: "Shop <orders@shop.test>",
      to: ["ada@dest.test"],
      replyTo: "help@shop.test",
      subject: "Order 17",
      html: "<b>Thanks</b>",
      attachments: [{ filename: "a.pdf", content: PDF.toBase64() }],
    };
    const first = await client.emails.send(letter, { idempotencyKey: "order-17" });
    assertEquals(first.error, null);
    const again = await client.emails.send(letter, { idempotencyKey: "order-17" });
    assertEquals(again.data?.id, first.data?.id);
    const other = { ...letter, subject: "Order 18" };
    const conflict = await client.emails.send(other, { idempotencyKey: "order-17" });
    assertEquals(conflict.error?.name, "invalid_idempotent_request");
    const { recipients, email } = await received(sink);
    assertEquals(recipients, ["ada@dest.test"]);
    assertEquals(email.replyTo?.[0]?.address, "help@shop.test");
    assertEquals(running.events.filter(({ type }) => type === "accepted").length, 1);
    const wrong = new Resend("wrong", { baseUrl: `${base}/resend` });
    assertEquals((await wrong.emails.send(letter)).error?.name, "invalid_api_key");
  }));

Deno.test("compat: resend sends a batch as a whole, and once", () =>
  withRelay(async ({ sink, base, running }) => {
    const client = new Resend(SECRET, { baseUrl: `${base}/resend` });
    const letters = ["ada", "bob"].map((name) => ({
      ...{ from: "orders@shop.test", to: [`${name}@dest.test`], subject: name, text: "x" },
    }));
    const stranger = { from: "eve@other.test", to: ["c@dest.test"], subject: "x", text: "x" };
    const refused = await client.batch.send([...letters, stranger]);
    assert(refused.error?.message.startsWith("Message 3 of 3: 553"), refused.error?.message);
    assertEquals(running.events.filter(({ type }) => type === "accepted"), []);
    const first = await client.batch.send(letters, { idempotencyKey: "batch-1" });
    assertEquals(first.data?.data.length, 2);
    const again = await client.batch.send(letters, { idempotencyKey: "batch-1" });
    assertEquals(again.data, first.data);
    await sink.waitForMessages(2);
    const recipients = sink.messages.flatMap(({ recipients }) => recipients);
    assertEquals(recipients.sort(), ["ada@dest.test", "bob@dest.test"]);
  }));

Deno.test("compat: @aws-sdk/client-sesv2", () =>
  withRelay(async ({ sink, base }) => {
    const clientOf = (secretAccessKey: string) =>
      new SESv2Client({
        ...{ region: "eu-west-1", endpoint: `${base}/ses`, maxAttempts: 1 },
        credentials: { accessKeyId: "app", secretAccessKey },
      });
    const Data = new TextEncoder().encode(
      "From: orders@shop.test\r\nTo: everybody@dest.test\r\nBcc: hidden@dest.test\r\n" +
        "Subject: raw\r\n\r\nText\r\n",
    );
    const raw = new SendEmailCommand({
      Destination: { ToAddresses: ["ada@dest.test"] },
      Content: { Raw: { Data } },
    });
    const client = clientOf(SECRET);
    const { MessageId } = await client.send(raw);
    assert(/^[0-9A-Z]{16}$/.test(MessageId ?? ""));
    const { recipients, reversePath, email } = await received(sink);
    assertEquals([recipients, reversePath], [["ada@dest.test"], "orders@shop.test"]);
    assertEquals(email.subject, "raw");
    assertEquals(email.headers.filter(({ key }) => key === "bcc"), []);

    const simple = (from: string) =>
      new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: ["ada@dest.test"], BccAddresses: ["bob@dest.test"] },
        Content: {
          Simple: { Subject: { Data: "Größe" }, Body: { Text: { Data: "x" } } },
        },
      });
    await client.send(simple("Shop <orders@shop.test>"));
    await sink.waitForMessages(2);
    assertEquals([...sink.messages[1]?.recipients ?? []].sort(), [
      "ada@dest.test",
      "bob@dest.test",
    ]);
    const refused = await client.send(simple("eve@other.test")).then(() => null, (error) => error);
    assertEquals(refused.name, "MessageRejected");
    const forged = clientOf("another-secret-of-some-length");
    const invalid = await forged.send(raw).then(() => null, (error) => error);
    assertEquals(invalid.name, "InvalidSignatureException");
    client.destroy();
    forged.destroy();
  }));
