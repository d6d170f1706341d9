import { assertEquals } from "@std/assert";
import { sampleJob } from "../support/delivery_jobs.ts";
import type { Script } from "../support/scripted_peer.ts";
import { inWords, smarthostSetup } from "../support/smarthost_setup.ts";

const STORED = "delivered 250 2.0.0 Stored";
const FIVE = ["a@one.example", "b@one.example", "c@two.example", "d@one.example", "e@one.example"];

/** The recipients of each transaction, by their first letters. */
async function transactions(limits: string, script: Partial<Script> = {}) {
  await using setup = smarthostSetup({ extensions: ["PIPELINING", limits], ...script });
  const report = await setup.deliver(sampleJob({ recipients: FIVE }));
  const sent = setup.peer.messages.map(({ recipients }) =>
    recipients.map((line) => line.charAt("RCPT TO:<".length)).join("")
  );
  return { sent, sessions: setup.peer.sessions, outcomes: inWords(report) };
}

Deno.test("LIMITS: a server gets no more recipients at once than it takes", async () => {
  const { sent, sessions, outcomes } = await transactions("LIMITS RCPTMAX=2");
  assertEquals(sent, ["ab", "cd", "e"]);
  assertEquals(sessions, 1);
  assertEquals(outcomes, FIVE.map(() => STORED));
});

Deno.test("LIMITS: a server gets no more recipient domains at once than it takes", async () => {
  assertEquals((await transactions("LIMITS RCPTDOMAINMAX=1")).sent, ["ab", "c", "de"]);
});

Deno.test("LIMITS: a server gets no more messages in a session than it takes", async () => {
  const { sent, sessions } = await transactions("LIMITS MAILMAX=1 RCPTMAX=3");
  assertEquals(sent, ["abc", "de"]);
  assertEquals(sessions, 2);
});

Deno.test("LIMITS: outcomes stay with their recipients", async () => {
  const answers = {
    "RCPT TO:<b@one.example>": "550 5.1.1 No b",
    "RCPT TO:<c@two.example>": "450 4.2.0 No c",
    "RCPT TO:<d@one.example>": "550 5.1.1 No d",
  };
  const { outcomes } = await transactions("LIMITS RCPTMAX=2", { answers });
  assertEquals(outcomes, [
    STORED,
    "permanent 550 5.1.1 No b",
    "temporary 450 4.2.0 No c",
    "permanent 550 5.1.1 No d",
    STORED,
  ]);
});

Deno.test("LIMITS: a farewell ends the session, not the message", async () => {
  const answers = { MAIL: { inTurn: ["250 2.1.0 OK", "421 4.3.2 Bye"] } };
  const { outcomes } = await transactions("LIMITS RCPTMAX=4", { answers });
  assertEquals(outcomes, [STORED, STORED, STORED, STORED, "temporary 421 4.3.2 Bye"]);
});
