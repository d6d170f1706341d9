import { assertEquals } from "@std/assert";
import type { Account } from "../../../src/auth/authenticator.ts";
import { encodeText } from "../../../src/base/bytes.ts";
import { UserRates } from "../../../src/policy/user_rate.ts";
import { receptionPolicy } from "../../../src/reception/policy.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { sessionSetup } from "./session_setup.ts";
import { TestAuthenticator } from "./test_authenticator.ts";

const LOGIN = `EHLO c.example\r\nAUTH PLAIN ${btoa("\0alice\0secret")}\r\n`;
const ALICE: Account = {
  name: "alice",
  senders: ["alice@example.com"],
  messageSizeBytes: 1000,
  messagesPerHour: 2,
  messagesPerDay: null,
};

/** What a session in which alice logs in first is answered. */
async function answers(commands: string, account: Account | null): Promise<string[]> {
  const clock = new ManualClock();
  const policy = receptionPolicy({
    users: { account: () => account, rates: new UserRates() },
    clock,
  });
  const auth = { authenticator: new TestAuthenticator(), mode: "always", required: false } as const;
  await using setup = sessionSetup({ policy, services: { auth } });
  const { conn, done } = setup.connect();
  conn.send(encodeText(`${LOGIN}${commands}QUIT\r\n`));
  await done;
  const lines = conn.takeOutput().split("\r\n").filter((line) => line[3] === " ");
  return lines.slice(3, -1);
}

Deno.test("user policy: a user sends from its own addresses alone", async () => {
  const commands = "MAIL FROM:<alice@example.com>\r\nRSET\r\nMAIL FROM:<bob@example.com>\r\n" +
    "MAIL FROM:<>\r\n";
  assertEquals(await answers(commands, ALICE), [
    "250 2.1.0 Sender ok",
    "250 2.0.0 Reset ok",
    "553 5.7.1 Sender address not allowed for this user",
    "553 5.7.1 Sender address not allowed for this user",
  ]);
});

Deno.test("user policy: a user that was removed sends no more", async () => {
  const replies = await answers("MAIL FROM:<alice@example.com>\r\n", null);
  assertEquals(replies, ["550 5.7.1 Not authorized to send"]);
});

Deno.test("user policy: a user's size is announced and holds for MAIL", async () => {
  const replies = await answers("EHLO c.example\r\nMAIL FROM:<alice@example.com> SIZE=1001\r\n", {
    ...ALICE,
  });
  assertEquals(replies.at(-1), "552 5.3.4 Message exceeds the size limit");
});

Deno.test("user policy: a user's size holds for the message", async () => {
  const data = `MAIL FROM:<alice@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n` +
    `From: alice@example.com\r\n\r\n${"x".repeat(500)}\r\n${"x".repeat(500)}\r\n.\r\n`;
  assertEquals((await answers(data, ALICE)).at(-1), "552 5.3.4 Message exceeds the size limit");
  const unlimited = { ...ALICE, messageSizeBytes: null };
  assertEquals((await answers(data, unlimited)).at(-1)?.slice(0, 9), "250 2.0.0");
});

Deno.test("user policy: a user's rate holds", async () => {
  const one = "MAIL FROM:<alice@example.com>\r\nRSET\r\n";
  const replies = await answers(one + one + one, ALICE);
  assertEquals(
    replies[4],
    "450 4.7.1 Message rate of this user exceeded, try again later",
  );
});
