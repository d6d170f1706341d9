import { assertEquals } from "@std/assert";
import { formatReply } from "../../src/mail/reply.ts";
import { counted, EMPTY_WINDOW, rateOf } from "../../src/policy/rate_window.ts";
import { UserRates } from "../../src/policy/user_rate.ts";
import { decideUserSize, messageLimitOf } from "../../src/policy/user_size.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);

Deno.test("the limit of a session is the smaller one", () => {
  assertEquals(messageLimitOf(1000, null), 1000);
  assertEquals(messageLimitOf(1000, { messageSizeBytes: null }), 1000);
  assertEquals(messageLimitOf(1000, { messageSizeBytes: 10 }), 10);
  assertEquals(messageLimitOf(1000, { messageSizeBytes: 9999 }), 1000);
});

Deno.test("a message above the user's size is refused", () => {
  assertEquals(decideUserSize({ messageSizeBytes: 10 }, 10).kind, "accept");
  assertEquals(decideUserSize({ messageSizeBytes: 10 }, null).kind, "accept");
  assertEquals(decideUserSize(null, 11).kind, "accept");
  const decision = decideUserSize({ messageSizeBytes: 10 }, 11);
  assertEquals(decision.kind === "refuse" && [formatReply(decision.reply), decision.cause], [
    "552 5.3.4 Message size exceeds the limit of this user",
    "11 octets are more than the user's 10",
  ]);
});

Deno.test("a window counts what came within it and lets the rest fade", () => {
  let window = EMPTY_WINDOW;
  for (let time = 0; time < 10; time++) {
    window = counted(window, { nowMs: START_MS, perMs: HOUR_MS });
  }
  const rateAt = (hours: number) =>
    rateOf(window, { nowMs: START_MS + hours * HOUR_MS, perMs: HOUR_MS });
  assertEquals([0, 0.5, 1, 1.5, 2, 9].map(rateAt), [10, 10, 10, 5, 0, 0]);
});

Deno.test("a user sends as much as it may, and more when time has passed", () => {
  const rates = new UserRates();
  const rules = { name: "alice", messagesPerHour: 4, messagesPerDay: null };
  const take = (hours: number) => rates.take(rules, START_MS + hours * HOUR_MS).kind;
  assertEquals([0, 0, 0, 0, 0].map(take), ["accept", "accept", "accept", "accept", "refuse"]);
  assertEquals([1.5, 1.5, 1.5].map(take), ["accept", "accept", "refuse"]);
  const other = { ...rules, name: "bob" };
  assertEquals(rates.take(other, START_MS).kind, "accept");
});

Deno.test("the refusal of a user above its rate is for now, and named in the log", () => {
  const rules = { name: "alice", messagesPerHour: 0, messagesPerDay: null };
  const decision = new UserRates().take(rules, START_MS);
  assertEquals(decision.kind === "refuse" && [formatReply(decision.reply), decision.cause], [
    "450 4.7.1 Message rate of this user exceeded, try again later",
    `user "alice" reached its message limit`,
  ]);
});

Deno.test("a refused message is not counted", () => {
  const rates = new UserRates();
  const rules = { name: "alice", messagesPerHour: 2, messagesPerDay: null };
  const take = (hours: number) => rates.take(rules, START_MS + hours * HOUR_MS).kind;
  assertEquals([0, 0, ...Array(20).fill(0.9)].map(take).filter((kind) => kind === "accept"), [
    ...["accept", "accept"],
  ]);
  assertEquals([1.5, 1.5].map(take), ["accept", "refuse"]);
});

Deno.test("an amount counts as so many", () => {
  const options = { nowMs: START_MS, perMs: HOUR_MS };
  const window = counted(counted(EMPTY_WINDOW, { ...options, amount: 5 }), options);
  assertEquals(rateOf(window, options), 6);
});

Deno.test("a user is forgotten after two days of silence, not after one", () => {
  const rates = new UserRates();
  const day = (days: number) => START_MS + days * 24 * HOUR_MS;
  const rules = (name: string) => ({ name, messagesPerHour: null, messagesPerDay: 2 });
  rates.take(rules("alice"), day(0));
  rates.take(rules("bob"), day(1));
  assertEquals(rates.size, 2);
  rates.take(rules("bob"), day(2));
  assertEquals(rates.size, 1);
  rates.take(rules("carol"), day(2.5));
  assertEquals(rates.size, 2);
});

Deno.test("the limit of the day holds beside that of the hour", () => {
  const rates = new UserRates();
  const rules = { name: "alice", messagesPerHour: 2, messagesPerDay: 3 };
  const take = (hours: number) => rates.take(rules, START_MS + hours * HOUR_MS).kind;
  assertEquals([0, 1, 4, 5].map(take), ["accept", "accept", "accept", "refuse"]);
});

Deno.test("users without limits, and those long silent, take no memory", () => {
  const rates = new UserRates();
  rates.take({ name: "free", messagesPerHour: null, messagesPerDay: null }, START_MS);
  assertEquals(rates.size, 0);
  for (let user = 0; user < 10; user++) {
    rates.take({ name: `user${user}`, messagesPerHour: 1, messagesPerDay: null }, START_MS);
  }
  assertEquals(rates.size, 10);
  rates.take({ name: "late", messagesPerHour: 1, messagesPerDay: null }, START_MS + 72 * HOUR_MS);
  assertEquals(rates.size, 1);
});
