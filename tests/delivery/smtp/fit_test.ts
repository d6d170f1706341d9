import { assertEquals } from "@std/assert";
import { fit } from "../../../src/delivery/smtp/fit.ts";
import { formatReply } from "../../../src/mail/reply.ts";
import { parseCapabilities } from "../../../src/smtp/client/capabilities.ts";
import { type SampleJob, sampleJob } from "../../support/delivery_jobs.ts";

const UTF8: SampleJob = { recipients: ["jürgen@dest.example"], message: { smtpUtf8: true } };
const UTF8_FIELDS: SampleJob = { message: { smtpUtf8: true } };

/** What is asked of a server with these extensions, or why it cannot have the message. */
const CASES: readonly [name: string, sample: SampleJob, extensions: string[], asked: string][] = [
  ["nothing offered", {}, [], ""],
  ["SIZE", {}, ["SIZE"], "SIZE=24"],
  ["SIZE with room", {}, ["SIZE 24"], "SIZE=24"],
  [
    "SIZE too small",
    {},
    ["SIZE 23"],
    "552 5.3.4 Message of 24 octets exceeds the next hop's limit of 23",
  ],
  ["8BITMIME for text of 7 bits", {}, ["8BITMIME"], ""],
  ["8BITMIME", { message: { body: "8BITMIME" } }, ["8BITMIME"], "BODY=8BITMIME"],
  ["8 bits not offered", { message: { body: "8BITMIME" } }, [], ""],
  [
    "binary",
    { message: { body: "BINARYMIME" } },
    ["8BITMIME"],
    "554 5.6.1 Next hop does not take binary messages",
  ],
  ["SMTPUTF8", UTF8, ["SMTPUTF8"], "SMTPUTF8"],
  ["SMTPUTF8 for fields only", UTF8_FIELDS, ["SMTPUTF8"], "SMTPUTF8"],
  ["SMTPUTF8 for fields only, not offered", UTF8_FIELDS, [], ""],
  [
    "SMTPUTF8 not offered",
    UTF8,
    ["8BITMIME"],
    "553 5.6.7 Next hop does not take addresses outside ASCII",
  ],
];

Deno.test("DSN parameters are passed on where they are taken", () => {
  const job = sampleJob({ message: { extras: { ret: "HDRS", envid: "QQ314159" } } });
  const recipients = job.recipients.map((recipient) => ({
    ...recipient,
    notify: ["SUCCESS", "FAILURE"] as const,
    originalRecipient: "rfc822;Bob@dest.example",
  }));
  for (const dsn of [true, false]) {
    const capabilities = parseCapabilities({ code: 250, lines: ["mx", dsn ? "DSN" : "X-NO"] });
    assertEquals(fit(job.message, { recipients, capabilities }), {
      kind: "fits",
      mailParameters: dsn ? ["RET=HDRS", "ENVID=QQ314159"] : [],
      recipients: [{
        forwardPath: "rcpt@dest.example",
        parameters: dsn ? ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Bob@dest.example"] : [],
      }],
      notifies: dsn,
    });
  }
});

for (const [name, sample, extensions, asked] of CASES) {
  Deno.test(`${name}: ${asked || "no parameters"}`, () => {
    const { message, recipients } = sampleJob(sample);
    const capabilities = parseCapabilities({ code: 250, lines: ["mx", ...extensions] });
    const found = fit(message, { recipients, capabilities });
    const words = found.kind === "fits" ? found.mailParameters.join(" ") : formatReply(found.reply);
    assertEquals(words, asked);
  });
}
