import { assertEquals } from "@std/assert";
import { Classifier } from "../../../src/delivery/classify/classifier.ts";
import { KNOWN_REPLIES } from "../../../src/delivery/classify/known.ts";
import type { DeliveryReport, Outcome } from "../../../src/delivery/transport.ts";
import { parseEnhancedCode } from "../../../src/mail/enhanced_code.ts";
import type { Reply } from "../../../src/mail/reply.ts";

const GOOGLE = "gmail-smtp-in.l.google.com";
const OUTLOOK = "outlook-com.olc.protection.outlook.com";
const YAHOO = "mta5.am0.yahoodns.net";
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
