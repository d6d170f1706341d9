import { assertEquals, assertMatch } from "@std/assert";
import { concatBytes, decodeText } from "../../src/base/bytes.ts";
import { type SampleJob, sampleJob } from "../support/delivery_jobs.ts";
import { smarthostSetup } from "../support/smarthost_setup.ts";
import { inWords } from "../support/smarthost_setup.ts";
import { smtpServices } from "../support/smtp_services.ts";

const { signal } = new AbortController();
const TEXT = "DKIM-Signature: v=1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n.Grüße\r\n";
const SIGNED = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\né\r\n--b--\r\n";

/** What came of a message at a server with these extensions. */
async function deliver(
  extensions: readonly string[],
  { sample, converts = true, rawOnly = false }: {
    sample: SampleJob;
    converts?: boolean;
    rawOnly?: boolean;
  },
) {
  await using setup = smarthostSetup({ extensions }, { converts });
  const report = await setup.transport.deliver(sampleJob(sample), { signal, rawOnly });
  const { mail = "", data = "" } = setup.peer.messages[0] ?? {};
  return { report, outcome: inWords(report).join(), mail, data };
}

Deno.test("conversion: for a server of 7 bits, in memory or read, by DATA", async () => {
  for (const sample of [{ body: TEXT }, { body: TEXT, streamChunkBytes: 5 }]) {
    const { outcome, data, mail, report } = await deliver(["PIPELINING", "SIZE", "CHUNKING"], {
      sample,
    });
    assertEquals(outcome, "delivered 250 2.0.0 Stored");
    assertEquals(
      data,
      "DKIM-Signature: v=1\r\nContent-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n" +
        "Content-Transfer-Encoding: base64\r\n\r\nLkdyw7zDn2UNCg==\r\n",
    );
    assertMatch(mail, /^MAIL FROM:<sender@origin\.example> SIZE=\d+$/);
    assertEquals(report.losses, [{ kind: "signature", what: "DKIM-Signature" }]);
  }
});

Deno.test("conversion: not where the server takes 8 bits", async () => {
  const { data, report } = await deliver(["8BITMIME"], { sample: { body: TEXT } });
  assertEquals(data.endsWith("\r\n..GrÃ¼Ã\u009fe\r\n"), true);
  assertEquals(report.losses, undefined);
});

Deno.test("conversion: not where it is switched off", async () => {
  const { data, mail } = await deliver([], { sample: { body: TEXT }, converts: false });
  assertEquals(data.endsWith("\r\n..GrÃ¼Ã\u009fe\r\n"), true);
  assertEquals(mail, "MAIL FROM:<sender@origin.example>");
});

Deno.test("conversion: what is signed is returned", async () => {
  const { outcome } = await deliver([], { sample: { body: SIGNED } });
  assertEquals(
    outcome,
    "unsuitable 554 5.6.3 Next hop accepts 7 bits, but the message is signed or encrypted in 8",
  );
});

Deno.test("conversion: not where nothing may be lost", async () => {
  const { outcome } = await deliver([], { sample: { body: TEXT }, rawOnly: true });
  assertMatch(outcome, /^unsuitable 554 5\.6\.3 .* DKIM/);
});

Deno.test("conversion: binary content for a server of lines", async () => {
  const sample: SampleJob = {
    body: "Content-Type: application/octet-stream\r\n\r\na\0b\rc",
    message: { body: "BINARYMIME" },
  };
  const { data } = await deliver(["8BITMIME"], { sample });
  assertMatch(data, /Content-Transfer-Encoding: base64\r\n\r\nYQBiDWM=\r\n$/);
  const raw = await deliver(["BINARYMIME", "CHUNKING"], { sample });
  assertEquals(raw.data, sample.body);
  assertMatch(raw.mail, / BODY=BINARYMIME$/);
});

Deno.test("conversion: the new form is held against the server's limit, too", async () => {
  const body = `Content-Type: text/plain\r\n\r\n${"é\r\n".repeat(100)}`;
  const { outcome } = await deliver(["SIZE 450"], { sample: { body } });
  assertMatch(outcome, /^unsuitable 552 5\.3\.4 Message of \d+ octets exceeds/);
});

const RAW_FIELD: SampleJob = {
  body: "DKIM-Signature: v=1\r\nSubject: Grüße, Zoë\r\n\r\nHello\r\n",
};

Deno.test("conversion: fields with raw octets are encoded for a server of 7 bits", async () => {
  const { outcome, data, report } = await deliver([], { sample: RAW_FIELD });
  assertEquals(outcome, "delivered 250 2.0.0 Stored");
  assertEquals(
    data,
    "DKIM-Signature: v=1\r\nSubject: =?utf-8?B?R3LDvMOfZSwgWm/Dqw==?=\r\n\r\nHello\r\n",
  );
  assertEquals(report.losses, [{ kind: "signature", what: "DKIM-Signature" }]);
});

Deno.test("conversion: fields with raw octets go to a server of 8 bits as they came", async () => {
  const { data, mail, report } = await deliver(["8BITMIME"], { sample: RAW_FIELD });
  const octets = Uint8Array.from(data, (char) => char.charCodeAt(0));
  assertEquals(decodeText(octets), RAW_FIELD.body);
  assertEquals(mail, "MAIL FROM:<sender@origin.example> BODY=8BITMIME");
  assertEquals(report.losses, undefined);
});

Deno.test("conversion: an address with raw octets cannot go to a server of 7 bits", async () => {
  const sample: SampleJob = { body: "From: zoë@a.example\r\n\r\nHello\r\n" };
  const { outcome } = await deliver([], { sample });
  assertEquals(
    outcome,
    "unsuitable 554 5.6.3 Next hop accepts 7 bits, but the message has 8 in an address or an identifier",
  );
});

const OWN = "DKIM-Signature: ours\r\n";
const TO_SIGN = "Content-Type: text/plain; charset=utf-8\r\n\r\né\r\n";

Deno.test("conversion: what this relay signed is signed anew, octet by octet as it leaves", async () => {
  for (const streamChunkBytes of [undefined, 7]) {
    using services = smtpServices();
    const seen: string[] = [];
    await using setup = smarthostSetup({ extensions: [] }, {
      services: Object.assign(services, {
        async resign(_message: unknown, octets: AsyncIterable<Uint8Array>) {
          seen.push(decodeText(concatBytes(await Array.fromAsync(octets))));
          return "DKIM-Signature: anew\r\n";
        },
      }),
    });
    const job = sampleJob({
      ...{ body: OWN + TO_SIGN, message: { prefix: OWN } },
      ...(streamChunkBytes === undefined ? {} : { streamChunkBytes }),
    });
    const report = await setup.transport.deliver(job, { signal, rawOnly: true });
    assertEquals(inWords(report), ["delivered 250 2.0.0 Stored"]);
    assertEquals(report.losses, undefined);
    const [data] = setup.peer.messages.map((message) => message.data);
    assertEquals(data, `DKIM-Signature: anew\r\n${seen[0]}`);
  }
});

Deno.test("conversion: a signature of this relay that cannot be made anew is lost", async () => {
  const sample = { body: OWN + TO_SIGN, message: { prefix: OWN } };
  const { report, data } = await deliver([], { sample });
  assertEquals(report.losses, [{ kind: "signature", what: "DKIM-Signature" }]);
  assertEquals(data.includes("DKIM-Signature"), false);
});
