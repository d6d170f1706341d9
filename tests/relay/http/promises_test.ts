import { assertEquals } from "@std/assert";
import { systemClock } from "../../../src/base/clock.ts";
import { createWebhook } from "../../../src/relay/webhook/transport.ts";
import { formatReply } from "../../../src/mail/reply.ts";
import type { MessageRecord } from "../../../src/queue/store.ts";
import { sampleJob } from "../../support/delivery_jobs.ts";
import { startHttpRecorder } from "../../support/http_recorder.ts";
import { fetch } from "../../support/own_fetch.ts";

/** What becomes of a message with these promises, and how many requests it took. */
async function deliver(message: Partial<MessageRecord>): Promise<[outcome: string, sent: number]> {
  await using api = startHttpRecorder(() => ({ kind: "answer", status: 202 }));
  await using transport = createWebhook(
    { url: `${api.url}/mail`, format: "raw" },
    { name: "hook", fetch, clock: systemClock },
  );
  const { signal } = new AbortController();
  const { outcomes } = await transport.deliver(sampleJob({ message }), { signal });
  const [outcome] = outcomes;
  return [
    `${outcome?.kind} ${outcome === undefined ? "" : formatReply(outcome.reply)}`,
    api.requests.length,
  ];
}

Deno.test("an API is given no message that must not leave TLS", async () => {
  assertEquals(await deliver({ extras: { requireTls: true } }), [
    "unsuitable 550 5.7.30 webhook does not guarantee TLS after it (REQUIRETLS)",
    0,
  ]);
});

Deno.test("an API is given notifications of such messages", async () => {
  const [, sent] = await deliver({ extras: { requireTls: true }, reversePath: "" });
  assertEquals(sent, 1);
});

Deno.test("an API is given no message that must be returned when it is late", async () => {
  const deliverBy = { deadlineMs: Date.now() + 60_000, trace: false } as const;
  assertEquals(await deliver({ extras: { deliverBy: { ...deliverBy, mode: "R" } } }), [
    "unsuitable 554 5.3.3 webhook does not guarantee a delivery time (DELIVERBY)",
    0,
  ]);
  const [, sent] = await deliver({ extras: { deliverBy: { ...deliverBy, mode: "N" } } });
  assertEquals(sent, 1);
});
