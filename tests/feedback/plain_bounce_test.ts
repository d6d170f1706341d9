import { assertEquals } from "@std/assert";
import {
  type BounceFields,
  linesOf,
  readPlainBounce,
  saidOf,
  splitCopy,
} from "../../src/feedback/plain_bounce.ts";

const DAEMON: BounceFields = {
  from: "MAILER-DAEMON@mx.test",
  subject: "Undelivered Mail",
  failedRecipients: "",
};
const NOBODY: BounceFields = { from: "a@b.test", subject: "Hello", failedRecipients: "" };
const TOLD = "Sorry.\n\n<u@dest.test>:\n550 5.1.1 No such user\n";

Deno.test("plain bounce: the copy of the message begins below its line", () => {
  const text = "Sorry.\n--- Below this line is a copy of the message.\n\nReceived: x\nSubject: y\n";
  assertEquals(splitCopy(text), { message: "Sorry.\n", copy: "Received: x\nSubject: y\n" });
  assertEquals(splitCopy("Sorry.\n"), { message: "Sorry.\n", copy: "" });
  assertEquals(splitCopy("Sorry.\n--- Original message"), { message: "Sorry.\n", copy: "" });
  assertEquals(linesOf(text), ["Sorry.", ""]);
});

const WHICH: readonly (readonly [string, Partial<BounceFields>, string, boolean])[] = [
  ["a daemon that says so", DAEMON, "It went wrong.", true],
  ["a daemon that gives a code", { ...DAEMON, subject: "Hm" }, "550 no such user", true],
  ["a daemon that says neither", { ...DAEMON, subject: "Hm" }, "Good morning.", false],
  ["somebody else who says so", { ...DAEMON, from: "a@b.test" }, TOLD, false],
  ["a list of recipients that failed", { failedRecipients: "u@dest.test" }, "x", true],
  ["qmail's greeting", {}, "Hi. This is the qmail-send program.", true],
  ["a greeting further below", {}, "Hello.\nHi. This is the program.", false],
];

for (const [what, fields, text, isBounce] of WHICH) {
  Deno.test(`plain bounce: ${what} makes ${isBounce ? "one" : "none"}`, () => {
    assertEquals(readPlainBounce({ ...NOBODY, ...fields }, text) !== null, isBounce);
  });
}

Deno.test("plain bounce: whom it names, what it says, and whether for good", () => {
  assertEquals(readPlainBounce(DAEMON, TOLD), {
    action: "failed",
    recipients: ["u@dest.test"],
    reason: "550 5.1.1 No such user",
    isPermanent: true,
  });
  const many = "  u@dest.test  \n<v@dest.test> and\n<u@dest.test>\nat w@dest.test later\n";
  assertEquals(readPlainBounce(DAEMON, many)?.recipients, ["u@dest.test", "v@dest.test"]);
  const named = { ...DAEMON, failedRecipients: " a@dest.test, ,b@dest.test" };
  assertEquals(readPlainBounce(named, TOLD)?.recipients, ["a@dest.test", "b@dest.test"]);
});

const REASONS: readonly (readonly [string, string, boolean | null])[] = [
  ["\n  Nothing said.  \nmore", "Nothing said.", null],
  ["First.\nThe user is unknown.\n", "The user is unknown.", true],
  ["The user is unknown.\n452 mailbox full", "452 mailbox full", false],
  ["#4.2.2 full", "#4.2.2 full", false],
  ["status 5.2.1 off", "status 5.2.1 off", true],
  ["", "", null],
];

for (const [text, reason, isPermanent] of REASONS) {
  Deno.test(`plain bounce: the reason of ${JSON.stringify(text)}`, () => {
    const read = readPlainBounce(DAEMON, text);
    assertEquals([read?.reason, read?.isPermanent], [reason, isPermanent]);
  });
}

Deno.test("plain bounce: what is still tried is late", () => {
  for (
    const words of [
      "THIS IS A WARNING MESSAGE ONLY.",
      "You do not need to resend your message.",
      "We will continue to try for 5 days.",
      "It is still being retried.",
      "Your message has been delayed.",
      "It has not yet been delivered.",
    ]
  ) {
    assertEquals(readPlainBounce(DAEMON, `${words}\n${TOLD}`)?.action, "delayed", words);
  }
});

Deno.test("plain bounce: 500 lines and 50 mailboxes are looked at", () => {
  const text = Array.from({ length: 60 }, (_, n) => `<u${n}@dest.test>`).join("\n");
  assertEquals(readPlainBounce(DAEMON, text)?.recipients.length, 50);
  const line = (at: number) => `${"x\n".repeat(at - 1)}<u@dest.test>\n`;
  assertEquals(readPlainBounce(DAEMON, line(500))?.recipients, ["u@dest.test"]);
  assertEquals(readPlainBounce(DAEMON, line(501))?.recipients, []);
});

Deno.test("plain bounce: what is said of a mailbox stands in its line or the two below", () => {
  const said = (...lines: string[]) => saidOf(lines, "u@dest.test");
  assertEquals(said("<u@dest.test>: host said: 550 no such user "), "550 no such user");
  assertEquals(said("<u@dest.test>:", "", "550 no such user"), "550 no such user");
  assertEquals(said("<u@dest.test>:", "", "", "550 no such user"), null);
  assertEquals(said("550 no such user", "<u@dest.test>:"), null);
  assertEquals(said("<v@dest.test>:", "550 no such user"), null);
});
