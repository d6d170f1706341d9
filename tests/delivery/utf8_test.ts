import { assertEquals } from "@std/assert";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import { type SampleJob, sampleJob } from "../support/delivery_jobs.ts";
import { type Script, startScriptedPeer } from "../support/scripted_peer.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { smtpServices } from "../support/smtp_services.ts";

const NEVER = new AbortController().signal;
const STORED = "delivered 250 2.0.0 Stored";
const NO_UTF8 = "unsuitable 553 5.6.7 Next hop does not accept non-ASCII addresses";
const PLAIN = ["PIPELINING", "8BITMIME"];
const UTF8 = ["PIPELINING", "8BITMIME", "SMTPUTF8"];

/** What hosts that are asked in turn make of a message, and what each of them is sent. */
async function deliver(sample: SampleJob, ...hosts: readonly Script[]) {
  await using stack = new AsyncDisposableStack();
  const peers = hosts.map((script) => stack.use(startScriptedPeer(script)));
  const services = stack.use(smtpServices());
  const transport = stack.use(
    new SmarthostTransport({
      name: "test",
      heloName: "relay.example",
      hosts: peers.map(({ port }) => ({ host: "127.0.0.1", port })),
      services,
    }),
  );
  const message = { smtpUtf8: true, ...sample.message };
  const report = await transport.deliver(sampleJob({ ...sample, message }), { signal: NEVER });
  return {
    outcomes: inWords(report),
    asked: peers.map(({ lines }) => lines.filter((line) => /^(MAIL|RCPT)/.test(line)).map(utf8)),
    data: peers.map(({ messages }) => messages.map(({ data }) => utf8(data)).join("")),
  };
}

/** What the peer read one octet a character. */
function utf8(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

const MAIL = "MAIL FROM:<sender@origin.example>";

Deno.test("UTF-8: only the recipients that need it fail where it is not taken", async () => {
  const recipients = ["jürgen@dest.example", "anna@dest.example", "ü@dest.example"];
  const { outcomes, asked } = await deliver({ recipients }, { extensions: PLAIN });
  assertEquals(outcomes, [NO_UTF8, STORED, NO_UTF8]);
  assertEquals(asked, [[MAIL, "RCPT TO:<anna@dest.example>"]]);
});

Deno.test("UTF-8: a limit of recipients counts those that are asked", async () => {
  const recipients = ["ü@dest.example", "a@dest.example", "b@dest.example", "ö@dest.example"];
  const { outcomes, asked } = await deliver({ recipients }, {
    extensions: [...PLAIN, "LIMITS RCPTMAX=1 MAILMAX=1"],
  });
  assertEquals(outcomes, [NO_UTF8, STORED, STORED, NO_UTF8]);
  assertEquals(asked[0]?.filter((line) => line.startsWith("RCPT")), [
    "RCPT TO:<a@dest.example>",
    "RCPT TO:<b@dest.example>",
  ]);
});

Deno.test("UTF-8: another host that takes it gets the recipients that need it", async () => {
  const recipients = ["jürgen@dest.example", "anna@dest.example"];
  const hosts = [{ extensions: PLAIN }, { extensions: UTF8 }];
  const { outcomes, asked } = await deliver({ recipients }, ...hosts);
  assertEquals(outcomes, [STORED, STORED]);
  assertEquals(asked, [
    [MAIL, "RCPT TO:<anna@dest.example>"],
    [`${MAIL} SMTPUTF8`, "RCPT TO:<jürgen@dest.example>"],
  ]);
});

Deno.test("UTF-8: a host that may take it and is away is waited for", async () => {
  const hosts = [{ extensions: PLAIN }, { greeting: "421 4.3.2 Later" }];
  const { outcomes } = await deliver({ recipients: ["jürgen@dest.example"] }, ...hosts);
  assertEquals(outcomes, ["temporary 421 4.3.2 Later"]);
});

Deno.test("UTF-8: domains alone go in A-labels where it is not taken", async () => {
  const sample: SampleJob = {
    recipients: ["anna@xn--bcher-kva.example"],
    message: { reversePath: "sender@Bücher.example" },
  };
  const job = sampleJob({ ...sample, message: { ...sample.message, smtpUtf8: true } });
  const recipients = job.recipients.map((recipient) => ({
    ...recipient,
    forwardPath: "anna@bücher.example",
  }));
  const { asked } = await deliver({ ...sample, records: recipients }, { extensions: PLAIN });
  assertEquals(asked, [[
    "MAIL FROM:<sender@xn--bcher-kva.example>",
    "RCPT TO:<anna@xn--bcher-kva.example>",
  ]]);
});

Deno.test("UTF-8: a return address that needs it keeps the message from hosts without it", async () => {
  const sample: SampleJob = {
    recipients: ["anna@dest.example", "b@dest.example"],
    message: { reversePath: "jürgen@origin.example" },
  };
  assertEquals((await deliver(sample, { extensions: PLAIN })).outcomes, [NO_UTF8, NO_UTF8]);
  const hosts = [{ extensions: PLAIN }, { extensions: UTF8 }];
  assertEquals((await deliver(sample, ...hosts)).outcomes, [STORED, STORED]);
});

Deno.test("UTF-8: addresses that need it are declared, whoever brought them", async () => {
  const sample: SampleJob = { recipients: ["ü@dest.example"], message: { smtpUtf8: false } };
  assertEquals((await deliver(sample, { extensions: PLAIN })).outcomes, [NO_UTF8]);
  const { asked } = await deliver(sample, { extensions: UTF8 });
  assertEquals(asked, [[`${MAIL} SMTPUTF8`, "RCPT TO:<ü@dest.example>"]]);
});

Deno.test("UTF-8: an original recipient in UTF-8 is written in ASCII where it is not taken", async () => {
  const job = sampleJob();
  const records = job.recipients.map((recipient) => ({
    ...recipient,
    originalRecipient: "utf-8;jürgen\\x{5C}@dest.example",
  }));
  const plain = await deliver({ records }, { extensions: [...PLAIN, "DSN"] });
  const rcpt = "RCPT TO:<rcpt@dest.example> ORCPT=utf-8;";
  assertEquals(plain.asked[0]?.[1], `${rcpt}j\\x{FC}rgen\\x{5C}@dest.example`);
  const taken = await deliver({ records }, { extensions: [...UTF8, "DSN"] });
  assertEquals(taken.asked[0]?.[1], `${rcpt}jürgen\\x{5C}@dest.example`);
});

const FIELDS = "From: Jürgen <j@origin.example>\r\nSubject: Grüße\r\n\r\nHello\r\n";
const ADDRESS = "From: jürgen@origin.example\r\n\r\nHello\r\n";

Deno.test("UTF-8: words in header fields go to a host of 8 bits as they came", async () => {
  const { outcomes, asked, data } = await deliver({ body: FIELDS }, { extensions: PLAIN });
  assertEquals(outcomes, [STORED]);
  assertEquals(asked[0]?.[0], `${MAIL} BODY=8BITMIME`);
  assertEquals(data, [FIELDS]);
});

Deno.test("UTF-8: words in header fields are encoded for a host of 7 bits", async () => {
  const { outcomes, data } = await deliver({ body: FIELDS }, { extensions: [] });
  assertEquals(outcomes, [STORED]);
  assertEquals(data, [
    "From: =?utf-8?B?SsO8cmdlbg==?= <j@origin.example>\r\n" +
    "Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n\r\nHello\r\n",
  ]);
});

Deno.test("UTF-8: identifiers in header fields go to a host of 8 bits as they came", async () => {
  const body = "From: j@origin.example\r\nMessage-ID: <é@origin.example>\r\n" +
    "List-Id: Größe <l.origin.example>\r\n\r\nHello\r\n";
  const { outcomes, data } = await deliver({ body }, { extensions: PLAIN });
  assertEquals([outcomes, data], [[STORED], [body]]);
});

Deno.test("UTF-8: domains in header fields are written in ASCII where they are not taken", async () => {
  const body = "From: j@bücher.example\r\nCc: Zoë <z@bücher.example>\r\n\r\nHello\r\n";
  for (const extensions of [PLAIN, []]) {
    const { outcomes, data } = await deliver({ body }, { extensions });
    assertEquals(outcomes, [STORED]);
    assertEquals(data, [
      "From: j@xn--bcher-kva.example\r\nCc: =?utf-8?B?Wm/Dqw==?= <z@xn--bcher-kva.example>\r\n" +
      "\r\nHello\r\n",
    ]);
  }
  const taken = await deliver({ body }, { extensions: UTF8 });
  assertEquals([taken.outcomes, taken.data], [[STORED], [body]]);
});

Deno.test("UTF-8: an address in a header field goes where it is taken alone", async () => {
  for (const body of [ADDRESS, `DKIM-Signature: v=1\r\n${ADDRESS}`]) {
    const { outcomes } = await deliver({ body }, { extensions: PLAIN });
    const text = "554 5.6.9 Next hop does not accept non-ASCII addresses in header fields";
    assertEquals(outcomes, [`unsuitable ${text}`]);
    const hosts = [{ extensions: PLAIN }, { extensions: UTF8 }];
    const elsewhere = await deliver({ body }, ...hosts);
    assertEquals([elsewhere.outcomes, elsewhere.data], [[STORED], ["", body]]);
  }
});

const BIG: SampleJob = { body: "Subject: x\r\n\r\nfar too long\r\n", message: { smtpUtf8: false } };
const SIGNED: SampleJob = {
  body: "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\né\r\n--b--\r\n",
  message: { smtpUtf8: false },
};
const BY: SampleJob = {
  message: {
    smtpUtf8: false,
    extras: { deliverBy: { deadlineMs: 8.64e15, mode: "R", trace: false } },
  },
};

for (
  const [name, sample, first, second] of [
    ["size", BIG, ["SIZE 20"], ["SIZE 2000"]],
    ["8 bits", SIGNED, [], ["8BITMIME"]],
    ["delivery in time", BY, [], ["DELIVERBY"]],
  ] as const
) {
  Deno.test(`what one host cannot take may suit another: ${name}`, async () => {
    const { outcomes } = await deliver(sample, { extensions: first }, { extensions: second });
    assertEquals(outcomes, [STORED]);
  });
}
