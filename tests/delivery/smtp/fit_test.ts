import { assertEquals } from "@std/assert";
import { type Fit, fit, type Peer } from "../../../src/delivery/smtp/fit.ts";
import type { EnvelopeExtras } from "../../../src/mail/envelope.ts";
import { formatReply } from "../../../src/mail/reply.ts";
import { parseCapabilities } from "../../../src/smtp/client/capabilities.ts";
import { type SampleJob, sampleJob } from "../../support/delivery_jobs.ts";

const UTF8: SampleJob = { recipients: ["jürgen@dest.example"], message: { smtpUtf8: true } };
const UTF8_FIELDS: SampleJob = { message: { smtpUtf8: true } };

const NOW_MS = 1_000_000;

/** What a server with these extensions would be asked. */
function fitTo(sample: SampleJob, extensions: readonly string[], peer: Partial<Peer> = {}): Fit {
  const { message, recipients } = sampleJob(sample);
  const capabilities = parseCapabilities({ code: 250, lines: ["mx", ...extensions] });
  return fit(message, {
    recipients,
    peer: { capabilities, protocol: "smtp", loggedIn: false, ...peer },
    rcptMax: Infinity,
    converts: true,
    nowMs: NOW_MS,
  });
}

/** What is asked of a server with these extensions, or why it cannot have the message. */
const EIGHT_BIT: SampleJob = { body: "Subject: x\r\n\r\né\r\n", message: { body: "8BITMIME" } };
const BINARY: SampleJob = { body: "Subject: x\r\n\r\na\nb", message: { body: "BINARYMIME" } };
const by = (leftSeconds: number, mode: "R" | "N", trace = false): SampleJob => ({
  message: { extras: { deliverBy: { deadlineMs: NOW_MS + leftSeconds * 1000, mode, trace } } },
});
const carrying = (extras: EnvelopeExtras): SampleJob => ({ message: { extras } });

const CASES: readonly [name: string, sample: SampleJob, extensions: string[], asked: string][] = [
  ["nothing offered", {}, [], ""],
  ["SIZE with room", {}, ["SIZE 24"], ""],
  [
    "SIZE too small",
    {},
    ["SIZE 23"],
    "552 5.3.4 Message of 24 octets exceeds the next hop's limit of 23",
  ],
  ["8BITMIME for text of 7 bits", {}, ["8BITMIME"], ""],
  ["8BITMIME, declared", { message: { body: "8BITMIME" } }, ["8BITMIME"], "BODY=8BITMIME"],
  ["8BITMIME, found", { ...EIGHT_BIT, message: {} }, ["8BITMIME"], "BODY=8BITMIME"],
  ["8 bits declared and not there, not offered", { message: { body: "8BITMIME" } }, [], ""],
  ["8 bits, not offered", EIGHT_BIT, [], "(7bit)"],
  ["binary", BINARY, ["BINARYMIME", "CHUNKING"], "BODY=BINARYMIME"],
  ["binary without a way to send it", BINARY, ["BINARYMIME", "8BITMIME"], "BODY=8BITMIME (8bit)"],
  ["binary, nothing offered", BINARY, [], "(7bit)"],
  ["SMTPUTF8", UTF8, ["SMTPUTF8"], "SMTPUTF8"],
  ["SMTPUTF8 for fields only", UTF8_FIELDS, ["SMTPUTF8"], "SMTPUTF8"],
  ["SMTPUTF8 for fields only, not offered", UTF8_FIELDS, [], ""],
  [
    "SMTPUTF8 not offered",
    UTF8,
    ["8BITMIME"],
    "553 5.6.7 Next hop does not accept non-ASCII addresses",
  ],
  ["REQUIRETLS", carrying({ requireTls: true }), ["REQUIRETLS"], "REQUIRETLS"],
  [
    "REQUIRETLS not offered",
    carrying({ requireTls: true }),
    [],
    "550 5.7.30 Next hop does not guarantee TLS after it (REQUIRETLS)",
  ],
  [
    "REQUIRETLS of a notification",
    { message: { reversePath: "", extras: { requireTls: true } } },
    [],
    "",
  ],
  ["DELIVERBY", by(90.5, "R", true), ["DELIVERBY"], "BY=90;RT"],
  ["DELIVERBY with a least time", by(90, "R"), ["DELIVERBY 60"], "BY=90;R"],
  ["DELIVERBY, late and not to be returned", by(-5, "N"), ["DELIVERBY"], "BY=-5;N"],
  ["DELIVERBY not offered, not to be returned", by(90, "N"), [], ""],
  ["DELIVERBY, late", by(0, "R"), ["DELIVERBY"], "554 5.4.7 The delivery deadline has passed"],
  [
    "DELIVERBY with a least time that is too long",
    by(59, "R"),
    ["DELIVERBY 60"],
    "554 5.4.7 Next hop needs 60 seconds or more to deliver",
  ],
  [
    "DELIVERBY not offered",
    by(90, "R"),
    [],
    "554 5.3.3 Next hop does not guarantee a delivery time (DELIVERBY)",
  ],
  [
    "FUTURERELEASE",
    carrying({ holdUntilMs: NOW_MS + 1 }),
    ["FUTURERELEASE 1 2"],
    "HOLDUNTIL=1970-01-01T00:16:40Z",
  ],
  ["FUTURERELEASE of the past", carrying({ holdUntilMs: NOW_MS }), ["FUTURERELEASE 1 2"], ""],
  ["MT-PRIORITY", carrying({ priority: -3 }), ["MT-PRIORITY"], "MT-PRIORITY=-3"],
  ["MT-PRIORITY not offered", carrying({ priority: -3 }), [], ""],
  [
    "AUTH for a server that does not know this relay",
    carrying({ submitter: "a" }),
    ["AUTH PLAIN"],
    "",
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
    const peer = { capabilities, protocol: "smtp", loggedIn: false } as const;
    const options = { recipients, peer, rcptMax: Infinity, converts: true, nowMs: NOW_MS };
    assertEquals(fit(job.message, options), {
      kind: "fits",
      reversePath: "sender@origin.example",
      mailParameters: dsn ? ["RET=HDRS", "ENVID=QQ314159"] : [],
      recipients: [{
        forwardPath: "rcpt@dest.example",
        parameters: dsn ? ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Bob@dest.example"] : [],
      }],
      misfits: null,
      notifies: dsn,
      conversion: null,
      needsAsciiAddresses: false,
    });
  }
});

for (const [name, sample, extensions, asked] of CASES) {
  Deno.test(`${name}: ${asked || "no parameters"}`, () => {
    assertEquals(inWords(fitTo(sample, extensions)), asked);
  });
}

Deno.test("the submitter is told to servers that know this relay", () => {
  const known = { loggedIn: true };
  const found = (submitter: string) =>
    inWords(fitTo(carrying({ submitter }), ["AUTH PLAIN"], known));
  assertEquals(found("a+b@origin.example"), "AUTH=a+2Bb@origin.example");
  assertEquals(found("<>"), "AUTH=<>");
});

Deno.test("a server of mailboxes is the end of the way", () => {
  const mailboxes = { protocol: "lmtp" } as const;
  assertEquals(inWords(fitTo(carrying({ requireTls: true }), [], mailboxes)), "");
  assertEquals(inWords(fitTo(by(90, "R"), [], mailboxes)), "");
});

Deno.test("the header section is looked at where fields may be outside ASCII", () => {
  const sample = { ...EIGHT_BIT, message: { smtpUtf8: true } };
  const found = (extensions: string[]) => {
    const fitted = fitTo(sample, extensions);
    return fitted.kind === "fits" && fitted.needsAsciiAddresses;
  };
  assertEquals([found(["8BITMIME"]), found(["8BITMIME", "SMTPUTF8"])], [true, false]);
});

/** Parameters, and in brackets what the octets must become; or the refusal. */
function inWords(found: Fit): string {
  if (found.kind === "unsuitable") return formatReply(found.reply);
  const { mailParameters, conversion } = found;
  return [...mailParameters, ...conversion === null ? [] : [`(${conversion})`]].join(" ");
}
