import { assert, assertEquals } from "@std/assert";
import { Activity } from "../../src/admin/events/activity.ts";
import { EventFeed } from "../../src/admin/events/feed.ts";
import { eventStream } from "../../src/admin/events/stream.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { type AdminSetup, adminSetup } from "./app_setup.ts";

/** Reads server-sent events from an answer, one block at a time. */
class SseReader {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(body: ReadableStream<Uint8Array> | null) {
    if (body === null) throw new Error("The answer has no body");
    this.#reader = body.pipeThrough(
      new TextDecoderStream() as ReadableWritablePair<
        string,
        Uint8Array
      >,
    ).getReader();
  }

  /** The next block, with `; ` between its lines; null at the end. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block.replaceAll("\n", "; ");
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += value;
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function stream(
  admin: AdminSetup,
  path: string,
  headers: HeadersInit = {},
): Promise<SseReader> {
  const response = await admin.request(path, { headers });
  assertEquals(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reader = new SseReader(response.body);
  assertEquals(await reader.next(), "retry: 2000");
  return reader;
}

function held(feed: EventFeed, messageId: string): void {
  feed.sink({ type: "held", messageId, by: "ada" });
}

Deno.test("events are streamed as they happen", async () => {
  await using admin = await adminSetup();
  held(admin.ports.feed, "01TEST0000000001");
  const reader = await stream(admin, "/api/v1/events");
  held(admin.ports.feed, "01TEST0000000002");
  const block = await reader.next();
  assert(block?.startsWith("id: 2; event: held; data: {"), String(block));
  const data = JSON.parse(block?.split("data: ")[1] ?? "");
  assertEquals(data, {
    id: 2,
    atMs: admin.clock.now(),
    level: "info",
    text: "held by ada",
    event: { type: "held", messageId: "01TEST0000000002", by: "ada" },
  });
  await reader.cancel();
});

Deno.test("a reader resumes where it left off", async () => {
  await using admin = await adminSetup();
  for (let count = 0; count < 5; count++) held(admin.ports.feed, "01TEST0000000001");
  const reader = await stream(admin, "/api/v1/events", { "last-event-id": "3" });
  assert((await reader.next())?.startsWith("id: 4;"));
  assert((await reader.next())?.startsWith("id: 5;"));
  await reader.cancel();
  const again = await stream(admin, "/api/v1/events?after=4");
  assert((await again.next())?.startsWith("id: 5;"));
  await again.cancel();
});

Deno.test("the stream is filtered by type, level, message and text", async () => {
  await using admin = await adminSetup();
  const { feed } = admin.ports;
  held(feed, "01TEST0000000001");
  feed.sink({ type: "reloaded" });
  feed.sink({ type: "trouble", level: "error", component: "queue", message: "Cannot write" });
  const cases = [
    ["type=held", "id: 1"],
    ["type=reloaded&type=held&message=01TEST0000000001", "id: 1"],
    ["level=warning", "id: 3"],
    ["text=CANNOT", "id: 3"],
  ];
  for (const [query, id] of cases) {
    const reader = await stream(admin, `/api/v1/events?after=0&${query}`);
    assertEquals((await reader.next())?.split(";")[0], id, query);
    await reader.cancel();
  }
});

Deno.test("a reader that fell behind learns how much it missed", async () => {
  const clock = new ManualClock();
  const feed = new EventFeed({ clock, kept: 4 });
  for (let count = 0; count < 10; count++) held(feed, "x");
  const reader = new SseReader(
    eventStream(feed, { afterId: 2, clock, filter: { level: "debug" } }),
  );
  await reader.next();
  assertEquals(await reader.next(), `event: missed; data: {"count":4}`);
  assert((await reader.next())?.startsWith("id: 7;"));
  await reader.cancel();
});

Deno.test("an id of a former run begins at the first event of this one", async () => {
  const clock = new ManualClock();
  const feed = new EventFeed({ clock });
  held(feed, "x");
  const reader = new SseReader(
    eventStream(feed, { afterId: 900, clock, filter: { level: "debug" } }),
  );
  await reader.next();
  assert((await reader.next())?.startsWith("id: 1;"));
  await reader.cancel();
});

Deno.test("a quiet stream beats, and ends with the feed", async () => {
  const clock = new ManualClock();
  const feed = new EventFeed({ clock });
  const reader = new SseReader(eventStream(feed, { afterId: 0, clock, filter: { level: "info" } }));
  await reader.next();
  const beat = reader.next();
  await settle();
  await clock.advance(15_000);
  assertEquals(await beat, ":");
  held(feed, "x");
  feed.end();
  assert((await reader.next())?.startsWith("id: 1;"));
  assertEquals(await reader.next(), null);
  assertEquals(clock.nextTimerAtMs, null);
});

Deno.test("a reader that takes nothing holds nothing but its place", async () => {
  const clock = new ManualClock();
  const feed = new EventFeed({ clock, kept: 100 });
  const body = eventStream(feed, { afterId: 0, clock, filter: { level: "debug" } });
  for (let count = 0; count < 100_000; count++) held(feed, "x");
  const reader = new SseReader(body);
  await reader.next();
  const texts = [await reader.next(), await reader.next()];
  // One batch may have been taken before the reader slept; all else is the ring.
  assert(texts.some((text) => text?.startsWith("event: missed")), texts.join("\n"));
  await reader.cancel();
});

Deno.test("recent events come newest first, and further back on demand", async () => {
  await using admin = await adminSetup();
  for (let count = 1; count <= 5; count++) held(admin.ports.feed, `01TEST000000000${count}`);
  const { body } = await admin.json("/api/v1/events/recent?limit=2");
  assertEquals(body.items.map(({ id }: { id: number }) => id), [5, 4]);
  const older = await admin.json("/api/v1/events/recent?limit=2&beforeId=4");
  assertEquals(older.body.items.map(({ id }: { id: number }) => id), [3, 2]);
  assertEquals(older.body.lastId, 5);
});

Deno.test("causes of trouble are told in words, without stacks", async () => {
  await using admin = await adminSetup();
  const cause = new TypeError("odd", { cause: new RangeError("deeper") });
  admin.ports.feed.sink({
    type: "trouble",
    level: "error",
    component: "x",
    message: "Cannot",
    cause,
  });
  const { body } = await admin.json("/api/v1/events/recent");
  assertEquals(body.items[0].event.cause, "TypeError: odd; because of RangeError: deeper");
});

Deno.test("activity counts by the minute and forgets after a day", async () => {
  const clock = new ManualClock(60_000_000);
  const activity = new Activity({ clock });
  const about = { messageId: "x", listener: "smtp", clientAddress: "", reversePath: "" };
  activity.sink({ type: "accepted", ...about, recipients: 1, sizeBytes: 100 });
  activity.sink({ type: "accepted", ...about, recipients: 1, sizeBytes: 50 });
  await clock.advance(60_000);
  activity.sink({ type: "refused", ...about, reply: "554" });
  const [first, second] = activity.read({ minutes: 2 });
  assertEquals([first?.accepted, first?.acceptedBytes, first?.refused], [2, 150, 0]);
  assertEquals([second?.accepted, second?.refused], [0, 1]);
  assertEquals(activity.read({ minutes: 1440 }).length, 1440);
  await clock.advance(24 * 3_600_000);
  assertEquals(activity.read({ minutes: 1440 }).some(({ accepted }) => accepted > 0), false);
});
