import { assertEquals } from "@std/assert";
import { Classifier } from "../../../src/delivery/classify/classifier.ts";
import { KNOWN_REPLIES } from "../../../src/delivery/classify/known.ts";
import type { DeliveryReport, Outcome } from "../../../src/delivery/transport.ts";
import { parseEnhancedCode } from "../../../src/mail/enhanced_code.ts";
import type { Reply } from "../../../src/mail/reply.ts";

const GOOGLE = "gmail-smtp-in.l.google.com";
const OUTLOOK = "outlook-com.olc.protection.outlook.com";
const YAHOO = "mta5.am0.yahoodns.net";
const APPLE = "mx01.mail.icloud.com";
const OFFICE = "example-com.mail.protection.outlook.com";
const ANY = "mx.example.net";

function replyOf(text: string): Reply {
  const [code = "", ...words] = text.split(" ");
  const enhanced = parseEnhancedCode(words[0] ?? "");
  if (enhanced === null) return { code: Number(code), lines: [words.join(" ")] };
  return { code: Number(code), enhanced, lines: [words.slice(1).join(" ")] };
}

function reportOf(text: string, host: string): DeliveryReport {
  const reply = replyOf(text);
  const kind = reply.code < 500 ? "temporary" : "permanent";
  const outcome: Outcome = { kind, reply, fromPeer: true };
  return { outcomes: [outcome], remote: { host, address: "192.0.2.1", port: 25 }, tls: null };
}

/** `slow_down`, `pause 60`, `later 5` in minutes, `temporary` or `permanent`. */
function meaning(report: DeliveryReport): string {
  const [outcome] = report.outcomes;
  if (outcome?.kind !== "temporary") return outcome?.kind ?? "nothing";
  if (outcome.slowsDown) return "slow_down";
  if (outcome.pausesMs !== undefined) return `pause ${outcome.pausesMs / 60_000}`;
  if (outcome.retryAfterMs !== undefined) return `later ${outcome.retryAfterMs / 60_000}`;
  return "temporary";
}

const REPLIES: readonly [string, string, string][] = [
  [
    GOOGLE,
    "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP " +
    "address. To protect our users from spam, mail sent from your IP address has been temporarily " +
    "rate limited. - gsmtp",
    "slow_down",
  ],
  [
    GOOGLE,
    "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your " +
    "IP address.",
    "slow_down",
  ],
  [
    GOOGLE,
    "421 4.7.0 This message is suspicious due to the very low reputation of the sending domain.",
    "later 30",
  ],
  [GOOGLE, "421 4.4.5 Server busy, try again later.", "slow_down"],
  [OFFICE, "451 4.7.500 Access denied for now", "slow_down"],
  [
    GOOGLE,
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
    "later 15",
  ],
  [GOOGLE, "452 4.2.2 The email account that you tried to reach is over quota.", "temporary"],
  [GOOGLE, "550 5.1.1 The email account that you tried to reach does not exist.", "permanent"],
  [
    GOOGLE,
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated.",
    "permanent",
  ],
  [
    OUTLOOK,
    "451 4.7.500 Server busy. Please try again later from [192.0.2.9]. (S77719)",
    "slow_down",
  ],
  [
    OUTLOOK,
    "451 4.7.651 The mail server [192.0.2.9] has been temporarily rate limited due to IP reputation.",
    "slow_down",
  ],
  [
    OUTLOOK,
    "550 5.7.1 Unfortunately, messages from [192.0.2.9] weren't sent. Please contact your Internet " +
    "service provider since part of their network is on our block list (S3150).",
    "pause 60",
  ],
  [
    OUTLOOK,
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    "permanent",
  ],
  [
    YAHOO,
    "421 4.7.0 [TSS04] Messages from 192.0.2.9 temporarily deferred due to unexpected volume or " +
    "user complaints - 4.16.55.1",
    "slow_down",
  ],
  [YAHOO, "421 4.7.1 [TS03] All messages from 192.0.2.9 permanently deferred", "pause 240"],
  [
    YAHOO,
    "553 5.7.2 [TSS09] All messages from 192.0.2.9 will be permanently deferred",
    "pause 240",
  ],
  [YAHOO, "554 5.7.9 Message not accepted for policy reasons.", "permanent"],
  ["mx1.comcast.net", "421 4.1.0 Throttled RL000001", "slow_down"],
  [ANY, "450 4.2.0 Greylisted, see http://postgrey.example/help", "temporary"],
  [ANY, "451 4.7.1 Greylisting in action, please come back in 300 seconds", "later 5"],
  [ANY, "450 4.7.1 Graylisted, please try again in 12 minutes", "later 12"],
  [ANY, "421 4.7.0 Too many connections from your address", "slow_down"],
  [ANY, "452 4.5.3 Too many recipients", "temporary"],
  [ANY, "451 4.3.0 Temporary lookup failure", "temporary"],
  [ANY, "550 5.7.1 Rate limit of complaints", "permanent"],
  [ANY, "421 4.7.28 unusual", "temporary"],
  // As published or seen in the wild; a block of an address must never bounce mail.
  [
    GOOGLE,
    "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents " +
    "additional messages from being delivered.",
    "later 15",
  ],
  [GOOGLE, "550 5.2.1 The email account that you tried to reach is disabled.", "permanent"],
  [GOOGLE, "421 4.7.0 Try again later, closing connection. (EHLO)", "slow_down"],
  [
    GOOGLE,
    "421 4.7.27 Your email has been rate limited because SPF authentication didn't pass for this " +
    "message.",
    "slow_down",
  ],
  ["smtp.gmail.com", "550 5.4.5 Daily user sending limit exceeded.", "pause 60"],
  [
    "smtp-relay.gmail.com",
    "550 5.7.1 Daily SMTP relay limit exceeded for customer.",
    "pause 60",
  ],
  [
    "smtp-relay.gmail.com",
    "450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.",
    "slow_down",
  ],
  [
    OUTLOOK,
    "451 4.7.650 The mail server [192.0.2.9] has been temporarily rate limited due to IP " +
    "reputation. For e-mail delivery information, see https://aka.ms/postmaster (S775)",
    "slow_down",
  ],
  [
    OUTLOOK,
    "451 4.7.652 The mail server [192.0.2.9] has exceeded the maximum number of connections. " +
    "(S3115)",
    "slow_down",
  ],
  [OUTLOOK, "421 RP-002 (XX) The sending IP exceeded its limit.", "slow_down"],
  [
    OFFICE,
    "550 5.7.606 Access denied, banned sending IP [192.0.2.9]. To request removal from this list " +
    "please visit https://sender.office.com/",
    "pause 60",
  ],
  [
    OFFICE,
    "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Spamhaus.",
    "pause 60",
  ],
  [OFFICE, "550 5.4.1 Recipient address rejected: Access denied.", "permanent"],
  [
    OFFICE,
    "550 5.7.515 Access denied, sending domain EXAMPLE.NET does not meet the required " +
    "authentication level.",
    "permanent",
  ],
  [
    "smtp.office365.com",
    "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
    "slow_down",
  ],
  [YAHOO, "421 4.7.0 [GL01] Message from (192.0.2.9) temporarily deferred", "temporary"],
  [
    YAHOO,
    "553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.9, because the ip is in " +
    "Spamhaus's list",
    "pause 60",
  ],
  [YAHOO, "451 4.3.0 Resources temporarily not available - Please try again later", "slow_down"],
  [
    YAHOO,
    "554 5.0.0 delivery error: dd This user doesn't have a yahoo.com account (you@yahoo.com)",
    "permanent",
  ],
  [
    APPLE,
    "421 4.7.1 Messages to you@icloud.com deferred due to excessive volume. Try again later",
    "later 15",
  ],
  [APPLE, "451 4.7.1 Service unavailable - try again later", "slow_down"],
  [APPLE, "550 5.7.1 [CS01] Message rejected due to local policy.", "permanent"],
  [APPLE, "554 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.9", "pause 60"],
  [
    "smtp-in.orange.fr",
    "421 4.0.0 Service refuse. Service refused, please try later. OFR004_402 [402]",
    "slow_down",
  ],
  [ANY, "421 4.0.0 Too many concurrent SMTP connections from this IP address", "slow_down"],
  [ANY, "421 4.3.2 Too many open connections.", "slow_down"],
  [ANY, "450 4.7.1 Error: too many recipients from 192.0.2.9", "slow_down"],
  [
    ANY,
    "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked using zen.spamhaus.org",
    "pause 60",
  ],
  [
    ANY,
    "550 5.7.1 Your email was rejected due to having a domain present in the Spamhaus DBL",
    "permanent",
  ],
];

for (const [host, text, expected] of REPLIES) {
  Deno.test(`${host} means ${expected} by ${text.slice(0, 60)}`, () => {
    assertEquals(
      meaning(new Classifier(KNOWN_REPLIES).classify(reportOf(text, host), "d.example")),
      expected,
    );
  });
}

Deno.test("a text of any length is looked at as far as a limit", () => {
  const text = "421 4.7.0 " + "1 ".repeat(5_000) + "greylisted";
  assertEquals(
    meaning(new Classifier(KNOWN_REPLIES).classify(reportOf(text, ANY), "d.example")),
    "temporary",
  );
});
