import { assertEquals } from "@std/assert";
import { ActiveWindow } from "../../src/delivery/window.ts";
import type { ClaimedMessage, RecipientRecord } from "../../src/queue/store.ts";
import { freshMessage } from "./scheduler_setup.ts";

const LIMITS = { recipients: 8, perDomain: 3, bodyBytes: 100 };

/** A message of some octets with recipients at these domains. */
function claimed(domains: readonly string[], bodyBytes: number): ClaimedMessage {
  const message = freshMessage({ id: "ONE", domain: "", nowMs: 0 });
  const recipients = domains.map((domain, index): RecipientRecord => ({
    ...{ index, domain, forwardPath: `r${index}@${domain}`, state: "queued", lastReply: "" },
    ...{ attempts: 0, nextAttemptAtMs: 0, delayNotified: false },
  }));
  return { message, recipients, bytes: new Uint8Array(bodyBytes) };
}

/** How full a window is. */
function stateOf(window: ActiveWindow) {
  const { recipients, free, freeBodyBytes, byDomain, wantsMore } = window;
  return { recipients, free, freeBodyBytes, byDomain: Object.fromEntries(byDomain), wantsMore };
}

const EMPTY = { recipients: 0, free: 8, freeBodyBytes: 100, byDomain: {}, wantsMore: true };

Deno.test("a window counts what enters, and forgets it with the last of its recipients", () => {
  const window = new ActiveWindow(LIMITS);
  const given = claimed(["a.example", "a.example", "b.example"], 40);
  const entry = window.enter(given);
  const byDomain = { "a.example": 2, "b.example": 1 };
  const full = { recipients: 3, free: 5, freeBodyBytes: 60, byDomain, wantsMore: true };
  assertEquals(stateOf(window), full);
  window.leave(entry, given.recipients.slice(0, 1));
  assertEquals([...window.entries], [entry]);
  assertEquals(stateOf(window), {
    ...{ recipients: 2, free: 6, freeBodyBytes: 60, wantsMore: true },
    byDomain: { "a.example": 1, "b.example": 1 },
  });
  window.leave(entry, given.recipients.slice(1));
  assertEquals([...window.entries], []);
  assertEquals(stateOf(window), EMPTY);
});

Deno.test("places that were reserved are taken, and given back", () => {
  const window = new ActiveWindow(LIMITS);
  const given = claimed(["a.example", "b.example"], 30);
  assertEquals(window.reserve(given.recipients, 30), true);
  const reserved = stateOf(window);
  assertEquals([reserved.recipients, reserved.freeBodyBytes], [2, 70]);
  window.unreserve(given.recipients, 30);
  assertEquals(stateOf(window), EMPTY);
  window.reserve(given.recipients, 30);
  const entry = window.enterReserved(given);
  assertEquals(stateOf(window), reserved);
  window.leave(entry, given.recipients);
  assertEquals(stateOf(window), EMPTY);
});

Deno.test("a quarter of the window is not for fresh mail, nor a domain's places, nor octets that it has not", () => {
  const full = new ActiveWindow(LIMITS);
  const many = ["a.example", "b.example", "c.example", "d.example", "e.example"];
  full.enter(claimed(many, 0));
  const one = claimed(["f.example"], 0).recipients;
  assertEquals(full.reserve(claimed(["f.example", "g.example"], 0).recipients, 0), false);
  assertEquals([full.reserve(one, 0), full.reserve(one, 0)], [true, false]);
  assertEquals(full.wantsMore, true);
  full.enter(claimed(["f.example"], 0));
  assertEquals([full.wantsMore, full.free], [false, 1]);

  const crowded = new ActiveWindow(LIMITS);
  const same = claimed(["a.example"], 0).recipients;
  const results = [1, 2, 3, 4].map(() => crowded.reserve(same, 0));
  assertEquals(results, [true, true, true, false]);
  assertEquals(crowded.reserve(claimed(["b.example"], 0).recipients, 0), true);

  const heavy = new ActiveWindow(LIMITS);
  assertEquals([heavy.reserve(one, 100), heavy.reserve(one, 1)], [true, false]);
  assertEquals(heavy.recipients, 1, "what found no room took none");
});

Deno.test("a claim may bring more than there is room for, and nothing is less than none", () => {
  const window = new ActiveWindow(LIMITS);
  window.enter(claimed(new Array(12).fill("a.example"), 400));
  assertEquals([window.free, window.freeBodyBytes], [0, 0]);
});
