import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { concatBytes } from "../../src/base/bytes.ts";
import {
  type HttpRecorder,
  type RecordedRequest,
  startHttpRecorder,
} from "../support/http_recorder.ts";
import { freePort, tempFolder } from "../support/peers.ts";
import { PlainClient } from "../support/plain_client.ts";
import { memoryStats } from "../support/process_stats.ts";
import { startRelay } from "../support/relay_process.ts";
import { messageOfSize } from "../support/sample_messages.ts";
import { jsonOf } from "../relay/requests.ts";

const MIB = 1024 * 1024;
/** What the relay needs whatever it carries, and what waits for the garbage collector. */
const LIMIT_MIB = 256;

/** A way out and how it is given the octets. */
interface Way {
  readonly name: string;
  readonly sizeMib: number;
  readonly table: (url: string) => string;
  readonly body: string;
  readonly octets: (request: RecordedRequest) => Uint8Array;
  /** Whether the API is given files, and `octets` are theirs one after the other. */
  readonly wantsFiles?: boolean;
  readonly status?: number;
}

const WAYS: readonly Way[] = [
  {
    name: "webhook",
    sizeMib: 100,
    table: (url) => `type = "webhook"\nurl = "${url}/in"\nsecret = "shared"`,
    body: "{}",
    octets: ({ body }) => body,
  },
  {
    name: "webhook in JSON",
    sizeMib: 50,
    table: (url) => `type = "webhook"\nurl = "${url}/in"\nformat = "json"`,
    body: "{}",
    octets: (request) => Uint8Array.fromBase64(jsonOf(request).message),
  },
  {
    name: "Mailgun",
    sizeMib: 24,
    table: (url) => `type = "mailgun"\ndomain = "x.test"\napi_key = "key"\nbase_url = "${url}"`,
    body: `{"id":"<1@mg>"}`,
    octets: fileOf,
  },
  {
    name: "SES",
    sizeMib: 28,
    table: (url) =>
      `type = "ses"\nregion = "eu-west-1"\naccess_key_id = "A"\nsecret_access_key = "s"\n` +
      `base_url = "${url}"`,
    body: `{"MessageId":"1"}`,
    octets: (request) => Uint8Array.fromBase64(jsonOf(request).Content.Raw.Data),
  },
  {
    name: "SendGrid, taken apart",
    ...{ sizeMib: 26, wantsFiles: true, status: 202, body: "" },
    table: (url) => `type = "sendgrid"\napi_key = "key"\nbase_url = "${url}"`,
    octets: (request) => contentsOf(jsonOf(request).attachments),
  },
  {
    name: "Resend, taken apart",
    ...{ sizeMib: 36, wantsFiles: true, body: `{"id":"1"}` },
    table: (url) => `type = "resend"\napi_key = "key"\nbase_url = "${url}"`,
    octets: (request) => contentsOf(jsonOf(request).attachments),
  },
];

for (const way of WAYS) {
  Deno.test(`memory: ${way.sizeMib} MiB go out through ${way.name} in less than ${LIMIT_MIB} MiB`, () =>
    sendLarge(way));
}

async function sendLarge(
  { sizeMib, table, body, octets, status = 200, wantsFiles = false }: Way,
): Promise<void> {
  await using folder = await tempFolder();
  await using api: HttpRecorder = startHttpRecorder(() => ({ kind: "answer", status, body }));
  await using relay = await startRelay({
    folder: folder.path,
    settings: `[limits]\nmessage_size = "110MiB"\n[transports.api]\n${table(api.url)}`,
  });
  const { data, content } = wantsFiles
    ? messageWithFiles(sizeMib * MIB)
    : contentOnly(messageOfSize(sizeMib * MIB));
  using client = await PlainClient.greet(relay.port);
  const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  assertEquals(reply.code, 250);
  await api.waitForRequests(1);
  await relay.waitForEvent("delivered");
  const [request] = api.requests;
  assert(request !== undefined);
  const received = octets(request);
  assertEquals(hashOf(received.subarray(received.length - content.length)), hashOf(content));
  const { peakResidentKib } = await memoryStats(relay.pid);
  assert(peakResidentKib < LIMIT_MIB * 1024, `peak ${Math.round(peakResidentKib / 1024)} MiB`);
}

Deno.test(`memory: 100 MiB are refused in less than ${LIMIT_MIB} MiB, and no API is asked`, async () => {
  await using folder = await tempFolder();
  await using api: HttpRecorder = startHttpRecorder(() => ({ kind: "answer", status: 202 }));
  await using relay = await startRelay({
    folder: folder.path,
    settings: `[limits]\nmessage_size = "110MiB"\n[transports.api]\ntype = "sendgrid"\n` +
      `api_key = "key"\nbase_url = "${api.url}"`,
  });
  const { data } = messageWithFiles(100 * MIB);
  using client = await PlainClient.greet(relay.port);
  const { reply } = await client.send({ from: "", to: ["b@sink.test"], data });
  assertEquals(reply.code, 250);
  await relay.waitForEvent("bounced");
  assertEquals(api.requests, []);
  const { peakResidentKib } = await memoryStats(relay.pid);
  assert(peakResidentKib < LIMIT_MIB * 1024, `peak ${Math.round(peakResidentKib / 1024)} MiB`);
});

Deno.test(`memory: 50 MiB come in by HTTP in less than ${LIMIT_MIB} MiB`, async () => {
  await using folder = await tempFolder();
  const port = freePort();
  await using relay = await startRelay({
    folder: folder.path,
    settings:
      `[limits]\nmessage_size = "60MiB"\n[admin]\nport = ${port}\nopen_on_loopback = true\n` +
      `[transports.none]\ntype = "smarthost"\nhosts = ["127.0.0.1:9"]`,
  });
  const origin = `http://127.0.0.1:${port}`;
  const data = messageOfSize(50 * MIB);
  const response = await fetch(`${origin}/api/v1/messages?from=a@source.test&to=b@sink.test`, {
    method: "POST",
    headers: { "content-type": "message/rfc822" },
    body: new Uint8Array(data),
  });
  assertEquals(response.status, 201);
  await response.body?.cancel();
  const { peakResidentKib } = await memoryStats(relay.pid);
  assert(peakResidentKib < LIMIT_MIB * 1024, `peak ${Math.round(peakResidentKib / 1024)} MiB`);
});

Deno.test(`memory: 100 MiB are looked at in less than ${LIMIT_MIB} MiB`, async () => {
  await using folder = await tempFolder();
  const port = freePort();
  await using relay = await startRelay({
    folder: folder.path,
    settings:
      `[limits]\nmessage_size = "110MiB"\n[admin]\nport = ${port}\nopen_on_loopback = true\n` +
      `[[routes]]\nname = "all"\nmode = "capture"`,
  });
  const { data, content } = messageWithFiles(100 * MIB);
  using client = await PlainClient.greet(relay.port);
  const { reply } = await client.send({ from: "a@source.test", to: ["b@sink.test"], data });
  assertEquals(reply.code, 250);
  const at = `http://127.0.0.1:${port}/api/v1/messages`;
  const { items: [{ message: { id } }] } = await (await fetch(at)).json();
  const { items } = await (await fetch(`${at}/${id}/attachments`)).json();
  assertEquals(items.map(({ filename }: { filename: string }) => filename), [
    ...["1.pdf", "2.pdf", "3.pdf"],
  ]);
  const hash = createHash("sha256");
  for (const { index } of items) {
    const { body } = await fetch(`${at}/${id}/attachments/${index}`);
    for await (const chunk of body ?? []) hash.update(chunk);
  }
  assertEquals(hash.digest("hex"), hashOf(content));
  const { text } = await (await fetch(`${at}/${id}/text`)).json();
  assertEquals(text, "Hello.");
  const { peakResidentKib } = await memoryStats(relay.pid);
  assert(peakResidentKib < LIMIT_MIB * 1024, `peak ${Math.round(peakResidentKib / 1024)} MiB`);
});

function contentOnly(data: Uint8Array): { data: Uint8Array; content: Uint8Array } {
  return { data, content: data };
}

/** A message of about this size with three files, and what is in these one after the other. */
function messageWithFiles(sizeBytes: number): { data: Uint8Array; content: Uint8Array } {
  const file = new Uint8Array(Math.floor(sizeBytes * 0.73 / 3)).map((_, at) =>
    (at * 7 + at / 251) & 255
  );
  const lines = Buffer.from(file).toString("base64").replace(/.{76}/g, "$&\r\n");
  const parts = [1, 2, 3].map((number) =>
    `--b\r\nContent-Type: application/pdf; name=${number}.pdf\r\n` +
    `Content-Transfer-Encoding: base64\r\n\r\n${lines}\r\n`
  );
  const head = "From: a@source.test\r\nTo: b@sink.test\r\nSubject: files\r\nMIME-Version: 1.0\r\n" +
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello.\r\n";
  return {
    data: Buffer.from(`${head}${parts.join("")}--b--\r\n`),
    content: concatBytes([file, file, file]),
  };
}

function contentsOf(attachments: readonly { content: string }[]): Uint8Array {
  return concatBytes(attachments.map(({ content }) => Uint8Array.fromBase64(content)));
}

/** The file of a form whose last part it is. */
function fileOf({ body }: RecordedRequest): Uint8Array {
  const head = new TextDecoder("latin1").decode(body.subarray(0, 4096));
  const start = head.indexOf("\r\n\r\n", head.indexOf("message/rfc822")) + 4;
  const end = new TextDecoder("latin1").decode(body.subarray(-256)).lastIndexOf("\r\n--") - 256;
  return body.subarray(start, body.length + end);
}

function hashOf(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}
