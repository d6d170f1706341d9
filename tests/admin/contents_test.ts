import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createAdminApp } from "../../src/admin/app.ts";
import { concatBytes, decodeText, encodeText } from "../../src/base/bytes.ts";
import { claimOf, idOf, NOW_MS, settlementOf } from "../queue/messages.ts";
import { adminSetup } from "./app_setup.ts";
import { FULL_MAIL, mailOf, PIXEL } from "./sample_mail.ts";

const ONE = `/api/v1/messages/${idOf(1)}`;

Deno.test("header section, text and attachments of a message", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, FULL_MAIL));
  const headers = await admin.json(`${ONE}/headers`);
  assertEquals(headers.body.complete, true);
  assertEquals(headers.body.fields[0], { name: "From", value: "Jürgen <j@origin.example>" });
  assertEquals(headers.body.fields[2], { name: "Subject", value: "Grüße" });
  const text = await admin.json(`${ONE}/text`);
  assertEquals(text.body, { text: "Hello in text", truncated: false, source: "text" });
  const { body: { items } } = await admin.json(`${ONE}/attachments`);
  assertEquals(items[1], {
    index: 1,
    filename: "€ rates.csv",
    mediaType: "text/csv",
    sizeBytes: 10,
    disposition: "attachment",
    contentId: null,
  });
  assertEquals([items[0].disposition, items[0].contentId], ["inline", "pixel@x"]);
});

Deno.test("an attachment is downloaded under its name", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, FULL_MAIL));
  const response = await admin.request(`${ONE}/attachments/1`);
  assertEquals(await response.text(), "a,b\r\n1,2\r\n");
  assertEquals(response.headers.get("content-type"), "text/csv");
  assertEquals(
    response.headers.get("content-disposition"),
    `attachment; filename="_ rates.csv"; filename*=UTF-8''%E2%82%AC%20rates.csv`,
  );
  assertEquals((await admin.json(`${ONE}/attachments/2`)).status, 404);
  assertEquals((await admin.json(`${ONE}/attachments/-1`)).status, 400);
});

Deno.test("the HTML of a message is a page of its own with its pictures in it", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, FULL_MAIL));
  const response = await admin.request(`${ONE}/html`);
  const page = await response.text();
  assertStringIncludes(page, `<p style="color:red">Hello in <b>HTML</b></p>`);
  assertStringIncludes(page, `<img src="data:image/png;base64,${PIXEL}">`);
  assertEquals(response.headers.get("posthouse-blocked"), "0");
  assertStringIncludes(response.headers.get("content-security-policy") ?? "", "sandbox");
});

Deno.test("a message without HTML is shown as its text, one without text says so", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, "Subject: x\r\n\r\n1 < 2 & <script>\r\n"));
  const page = await (await admin.request(`${ONE}/html`)).text();
  assertStringIncludes(page, "<pre>1 &lt; 2 &amp; &lt;script>\n</pre>");
  const image = `Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n${PIXEL}\r\n`;
  await admin.ports.store.put(mailOf(2, image));
  assertEquals((await admin.json(`/api/v1/messages/${idOf(2)}/html`)).status, 404);
  assertEquals((await admin.json(`/api/v1/messages/${idOf(2)}/text`)).body.source, "none");
});

Deno.test("text is made from HTML where there is no other", async () => {
  await using admin = await adminSetup();
  const mail = "Content-Type: text/html\r\n\r\n" +
    "<style>p{}</style><p>One &amp; two</p><p>three<br>four</p>\r\n";
  await admin.ports.store.put(mailOf(1, mail));
  const { body } = await admin.json(`${ONE}/text`);
  assertEquals([body.text, body.source], ["One & two\nthree\nfour", "html"]);
});

Deno.test("the octets of a message are downloaded as they are", async () => {
  await using admin = await adminSetup();
  await admin.ports.store.put(mailOf(1, FULL_MAIL));
  const response = await admin.request(`${ONE}/raw`);
  assertEquals(await response.text(), FULL_MAIL);
  assertEquals(response.headers.get("content-type"), "message/rfc822");
  assertEquals(
    response.headers.get("content-disposition"),
    `attachment; filename="${idOf(1)}.eml"`,
  );
});

Deno.test("octets that were removed are gone, messages that never were are not found", async () => {
  await using admin = await adminSetup();
  const { store } = admin.ports;
  await store.put(mailOf(1, FULL_MAIL));
  await store.claim(claimOf({ nowMs: NOW_MS + 1 }));
  await store.settle(settlementOf(1));
  for (const part of ["raw", "text", "html", "headers", "attachments", "attachments/0"]) {
    const gone = await admin.json(`${ONE}/${part}`);
    assertEquals([gone.status, gone.body.type], [410, "/problems/gone"], part);
    const unknown = await admin.json(`/api/v1/messages/${idOf(9)}/${part}`);
    assertEquals(unknown.status, 404, part);
  }
});

Deno.test("text that is too large to be shown is a file", async () => {
  await using admin = await adminSetup();
  const sizeBytes = 33 * 1024 * 1024;
  const line = encodeText(`${"x".repeat(1022)}\r\n`);
  const spool = admin.ports.store.spool();
  await spool.write(encodeText("Subject: large\r\n\r\n"));
  for (let written = 0; written < sizeBytes; written += line.length) await spool.write(line);
  const place = { kind: "spool", name: await spool.finish() } as const;
  const mail = mailOf(1, "Subject: large\r\n\r\n", { place });
  await admin.ports.store.put({ ...mail, facts: { ...mail.facts, sizeBytes } });
  assertEquals((await admin.json(`${ONE}/text`)).body.text, "");
  const { items: [file] } = (await admin.json(`${ONE}/attachments`)).body;
  assertEquals([file.filename, file.mediaType], ["part-1.txt", "text/plain"]);
  const download = await admin.request(`${ONE}/attachments/0`);
  assertEquals(download.headers.get("content-length"), String(file.sizeBytes));
  let fileBytes = 0;
  for await (const chunk of download.body ?? []) fileBytes += chunk.length;
  assertEquals(fileBytes, file.sizeBytes);
  assertEquals((await admin.json(`${ONE}/headers`)).body.fields.length, 1);
  const raw = await admin.request(`${ONE}/raw`);
  let receivedBytes = 0;
  for await (const chunk of raw.body ?? []) receivedBytes += chunk.length;
  assert(receivedBytes > sizeBytes);
});

Deno.test("a download that is given up reads no further", async () => {
  await using admin = await adminSetup();
  let read = 0;
  let ended = false;
  const ports = {
    ...admin.ports,
    queue: {
      ...admin.ports.queue,
      body: () => Promise.resolve(endless(() => void read++, () => void (ended = true))),
    },
  };
  const app = createAdminApp(ports, { events: () => {}, openOnLoopback: true });
  const response = await app.request(`http://localhost${ONE}/raw`, {}, {
    peer: { kind: "unix" },
  });
  const reader = response.body?.getReader();
  assertEquals(decodeText((await reader?.read())?.value ?? concatBytes([])), "more");
  await reader?.cancel();
  assertEquals([read, ended], [1, true]);
});

async function* endless(onRead: () => void, onEnd: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      onRead();
      yield await Promise.resolve(encodeText("more"));
    }
  } finally {
    onEnd();
  }
}
