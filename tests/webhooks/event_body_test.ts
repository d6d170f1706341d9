import { assertEquals } from "@std/assert";
import type { MessageEvent } from "../../src/observe/events.ts";
import { commandOutline } from "../../src/webhooks/command_outline.ts";
import { recordEvent } from "../../src/webhooks/event_body.ts";

const ABOUT = { messageId: "M1" };
const TRIED = {
  ...ABOUT,
  ...{ recipient: "u@dest.test", transport: "out", destination: "dest.test", remote: "mx" },
  ...{ reply: "250 ok", attempts: 2, delayMs: 7 },
};

/** Type and details of what a webhook is told of an event; null for nothing. */
function told(event: unknown): readonly [string, Record<string, unknown>] | null {
  const made = recordEvent(event as MessageEvent, { message: null, atMs: 0 });
  if (made === null) return null;
  const { type: _type, at: _at, message: _message, ...detail } = JSON.parse(made.body);
  return [made.type, detail];
}

const TRIED_DETAIL: Record<string, unknown> = {
  ...{ recipient: "u@dest.test", transport: "out", destination: "dest.test", remote: "mx" },
  ...{ reply: "250 ok", attempts: 2, delayMs: 7 },
};
const SAID = { recipient: "u@dest.test", source: "bounce", reason: "no" };

const EVENTS: readonly (readonly [string, unknown, ReturnType<typeof told>])[] = [
  ["an accepted message", {
    ...{ ...ABOUT, type: "accepted", reversePath: "a@x.test", listener: "http" },
    ...{ clientAddress: "192.0.2.1", recipients: 2, sizeBytes: 9 },
  }, ["accepted", { listener: "http", clientAddress: "192.0.2.1", recipients: 2, sizeBytes: 9 }]],
  ["a delivery", { ...TRIED, type: "delivered" }, ["delivered", TRIED_DETAIL]],
  ["a bounce", { ...TRIED, type: "bounced" }, ["bounced", TRIED_DETAIL]],
  ["a deferral with its next attempt", { ...TRIED, type: "deferred", nextAttemptAtMs: 0 }, [
    ...["deferred", { ...TRIED_DETAIL, nextAttemptAt: "1970-01-01T00:00:00.000Z" }] as const,
  ]],
  ["what may have been delivered is a deferral", { ...TRIED, type: "uncertain" }, [
    ...["deferred", TRIED_DETAIL] as const,
  ]],
  ["a hard bounce that was told later", { ...ABOUT, ...SAID, type: "feedback", kind: "bounced" }, [
    ...["bounced", { ...SAID, suppressed: false, permanent: true }] as const,
  ]],
  ["a soft one, which suppressed", {
    ...{ ...ABOUT, ...SAID, type: "feedback", kind: "soft_bounced", suppressed: true },
  }, ["bounced", { ...SAID, suppressed: true, permanent: false }]],
  ["a complaint", { ...ABOUT, ...SAID, type: "feedback", kind: "complained" }, [
    ...["complained", { ...SAID, suppressed: false }] as const,
  ]],
  ["who opted out", { ...ABOUT, ...SAID, type: "feedback", kind: "unsubscribed" }, [
    ...["unsubscribed", { ...SAID, suppressed: false }] as const,
  ]],
  [
    "a delivery that was told later",
    { ...ABOUT, ...SAID, type: "feedback", kind: "delivered" },
    null,
  ],
  ["a delay that was told later", { ...ABOUT, ...SAID, type: "feedback", kind: "deferred" }, null],
  ["what webhooks are not told", { ...ABOUT, type: "refused" }, null],
];

for (const [what, event, expected] of EVENTS) {
  Deno.test(`webhook event: ${what}`, () => {
    assertEquals(told(event), expected);
  });
}

Deno.test("webhook event: of what people do, holding is told", () => {
  assertEquals(commandOutline("hold", "ada"), { type: "held", detail: { by: "ada", reason: "" } });
  for (const kind of ["release", "cancel", "retry"]) {
    assertEquals(commandOutline(kind, "ada"), null);
  }
});
