import { assertEquals, assertMatch } from "@std/assert";
import { JsonFile } from "../../../src/delivery/tls/json_file.ts";
import type { TlsOutcome } from "../../../src/delivery/tls/outcome.ts";
import { reportPlaces, TlsReportSender } from "../../../src/delivery/tls/report_sender.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { tempFolder } from "../../support/peers.ts";
import { smtpServices } from "../../support/smtp_services.ts";

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
const STS = {
  type: "sts",
  strings: ["version: STSv1", "mode: testing", "mx: mx.dest.example", "max_age: 86400"],
  mxPatterns: ["mx.dest.example"],
} as const;
const FINE: TlsOutcome = { domain: "dest.example", published: STS, failure: null };
const FAILED: TlsOutcome = {
  ...FINE,
  failure: {
    type: "certificate-expired",
    host: "mx.dest.example",
    receivingAddress: "192.0.2.1",
    sendingAddress: "198.51.100.1",
  },
};

/** A sender in a world of one TXT record; `sent` are the messages, `posted` the requests. */
function senderFor(
  txt: readonly string[] | null,
  { clock = new ManualClock(), file = null as JsonFile | null, status = 200 } = {},
) {
  const sent: { to: string; text: string }[] = [];
  const posted: { url: string; body: Uint8Array }[] = [];
  const services = smtpServices({ names: { txt: { "_smtp._tls.dest.example": txt } } });
  let ids = 0;
  const sender = new TlsReportSender({
    ...services,
    clock,
    file,
    fetch: (url, { body }) => {
      posted.push({ url, body: body as Uint8Array });
      return Promise.resolve(new Response(null, { status }));
    },
    queue: ({ to, octets }) => {
      sent.push({ to, text: new TextDecoder().decode(octets) });
      return Promise.resolve(true);
    },
    newId: () => `id${++ids}`,
    reporter: { organization: "Relays", submitter: "relay.example", from: "tls@relay.example" },
  });
  return { sender, clock, sent, posted };
}

/** Waits for a run that began before the clock was moved, then makes another. */
async function sendDue(sender: TlsReportSender): Promise<void> {
  await sender.sendDue();
  await sender.sendDue();
}

async function unzip(octets: Uint8Array): Promise<unknown> {
  const stream = new Blob([new Uint8Array(octets)]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

const REPORT = {
  "organization-name": "Relays",
  "date-range": {
    "start-datetime": "1970-01-01T00:00:00Z",
    "end-datetime": "1970-01-01T23:59:59Z",
  },
  "contact-info": "tls@relay.example",
  "report-id": "id1@relay.example",
  policies: [{
    policy: {
      "policy-type": "sts",
      "policy-string": STS.strings,
      "policy-domain": "dest.example",
      "mx-host": ["mx.dest.example"],
    },
    summary: { "total-successful-session-count": 2, "total-failure-session-count": 1 },
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "198.51.100.1",
      "receiving-mx-hostname": "mx.dest.example",
      "receiving-ip": "192.0.2.1",
      "failed-session-count": 1,
    }],
  }],
};

Deno.test("TLS-RPT: a domain that asks for it is told once a day", async () => {
  const clock = new ManualClock(0);
  const { sender, sent } = senderFor(["v=TLSRPTv1; rua=mailto:tls@dest.example"], { clock });
  for (const outcome of [FINE, FAILED, FINE]) sender.record(outcome);
  await sendDue(sender);
  assertEquals(sent, []); // the day is not over
  await clock.advance(DAY_MS);
  await sender.sendDue();
  await sendDue(sender);
  assertEquals(sent.map(({ to }) => to), ["tls@dest.example"]);
  const text = sent[0]?.text ?? "";
  assertMatch(
    text,
    /\r\nTLS-Report-Domain: dest\.example\r\nTLS-Report-Submitter: relay\.example\r\n/,
  );
  assertMatch(text, /\r\nContent-Type: multipart\/report; report-type="tlsrpt";\r\n boundary=/);
  assertMatch(text, / filename="relay\.example!dest\.example!0!86399!id1\.json\.gz"\r\n/);
  const encoded = /filename=.*\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(text)?.[1] ?? "";
  assertEquals(await unzip(Uint8Array.fromBase64(encoded)), REPORT);
  await sender[Symbol.asyncDispose]();
});

Deno.test("TLS-RPT: reports are posted where a domain wants that", async () => {
  const clock = new ManualClock(0);
  const { sender, posted } = senderFor(
    ["v=TLSRPTv1;rua=https://report.dest.example/v1"],
    { clock },
  );
  for (const outcome of [FINE, FAILED, FINE]) sender.record(outcome);
  await clock.advance(DAY_MS);
  await sendDue(sender);
  assertEquals(posted.map(({ url }) => url), ["https://report.dest.example/v1"]);
  assertEquals(await unzip(posted[0]?.body ?? new Uint8Array()), REPORT);
  await sender[Symbol.asyncDispose]();
});

Deno.test("TLS-RPT: what could not be sent is tried again, and given up after two days", async () => {
  const clock = new ManualClock(0);
  const { sender, posted } = senderFor(
    ["v=TLSRPTv1;rua=https://report.dest.example/v1"],
    { clock, status: 503 },
  );
  sender.record(FINE);
  await clock.advance(DAY_MS);
  await sendDue(sender);
  const tries = posted.length;
  await clock.advance(2 * DAY_MS);
  await sendDue(sender);
  const last = posted.length;
  assertEquals(last > tries, true);
  await sendDue(sender);
  assertEquals(posted.length, last);
  await sender[Symbol.asyncDispose]();
});

Deno.test("TLS-RPT: counts outlive the process", async () => {
  await using folder = await tempFolder();
  const file = new JsonFile(`${folder.path}/tls_reports.json`);
  const before = senderFor(null, { clock: new ManualClock(0), file });
  before.sender.record(FINE);
  await before.sender[Symbol.asyncDispose]();
  const clock = new ManualClock(0);
  const after = senderFor(["v=TLSRPTv1; rua=mailto:tls@dest.example"], { clock, file });
  after.sender.record(FAILED);
  after.sender.record(FINE);
  await clock.advance(DAY_MS);
  await sendDue(after.sender);
  assertEquals(after.sent.length, 1);
  await after.sender[Symbol.asyncDispose]();
});

Deno.test("TLS-RPT: where reports go is read from one record", () => {
  const places = (...records: string[]) => reportPlaces(records).map(({ href }) => href);
  assertEquals(places("v=TLSRPTv1; rua=mailto:a@b.example,https://c.example/d;"), [
    "mailto:a@b.example",
    "https://c.example/d",
  ]);
  assertEquals(places("v=TLSRPTv1;rua=ftp://x.example/,nonsense"), []);
  assertEquals(places("v=TLSRPTv1;rua=mailto:a@b", "v=TLSRPTv1;rua=mailto:c@d"), []);
  assertEquals(places("v=spf1 -all"), []);
});

Deno.test("TLS-RPT: a domain cannot have them sent to many, nor keep those of others back", async () => {
  const clock = new ManualClock(0);
  const rua = [
    "mailto:%ff@dest.example",
    "mailto:a%0d%0aBcc:%20b@dest.example",
    "mailto:@",
    ...Array.from({ length: 1_000 }, (_, index) => `mailto:u${index}@dest.example`),
  ];
  const { sender, sent } = senderFor([`v=TLSRPTv1; rua=${rua.join(",")}`], { clock });
  sender.record(FINE);
  await sendDue(sender);
  await clock.advance(DAY_MS);
  await sender.sendDue();
  await sendDue(sender);
  assertEquals(sent.map(({ to }) => to), ["u0@dest.example", "u1@dest.example"]);
  await sender[Symbol.asyncDispose]();
});
