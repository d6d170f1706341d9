/** Parts of the queue that stand between its users and a store. */
import { assertEquals, assertRejects } from "@std/assert";
import { encodeText } from "../../src/base/bytes.ts";
import { CountKeeper, type KeptCounts } from "../../src/queue/count_keeper.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import { findRemote, remoteIdRecord } from "../../src/queue/remote_ids.ts";
import { DEFAULT_RETRY_SCHEDULE } from "../../src/queue/schedule.ts";
import { SharedRests } from "../../src/queue/shared_rest.ts";
import { failureOf, storeError } from "../../src/queue/sqlite/failure.ts";
import { ownerOf } from "../../src/queue/sqlite/spool_owner.ts";
import type { ClaimedMessage, Lease, NewMessage } from "../../src/queue/store.ts";
import { StoreError } from "../../src/queue/store.ts";
import { storeFresh } from "../../src/queue/store_fresh.ts";
import { SuppressionList } from "../../src/queue/suppressions.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";
import { messageOf, NOW_MS, recipientOf } from "./messages.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

Deno.test("the schedule where nothing is configured", () => {
  assertEquals(DEFAULT_RETRY_SCHEDULE, {
    delaysMs: [
      ...[1, 2, 5, 10, 20, 40].map((minutes) => minutes * MINUTE_MS),
      ...[1, 2, 4, 6].map((hours) => hours * HOUR_MS),
    ],
    ...{ jitter: 0.1, expireAfterMs: 96 * HOUR_MS, warnAfterMs: 4 * HOUR_MS },
  });
});

const FAILURES: readonly [cause: unknown, kind: string][] = [
  [{ errcode: 5 }, "locked"],
  [{ errcode: 261 }, "locked"],
  [{ errcode: 6 }, "locked"],
  [{ errcode: 8 }, "read_only"],
  [{ errcode: 11 }, "corrupt"],
  [{ errcode: 13 }, "full"],
  [{ errcode: 26 }, "corrupt"],
  [{ errcode: 4874 }, "full"],
  [{ errcode: 10 }, "unavailable"],
  [{ errcode: "13" }, "unavailable"],
  [{ code: "ENOSPC" }, "full"],
  [{ code: "EDQUOT" }, "full"],
  [{ code: "EROFS" }, "read_only"],
  [{ code: "EACCES" }, "read_only"],
  [{ code: "EPERM" }, "read_only"],
  [{ code: "EIO" }, "unavailable"],
  [new Deno.errors.PermissionDenied("no"), "read_only"],
  [new Deno.errors.NotCapable("no"), "read_only"],
  ["text", "unavailable"],
  [null, "unavailable"],
];

Deno.test("what a database or a file system threw is typed by its code", () => {
  for (const [cause, kind] of FAILURES) {
    assertEquals(failureOf(cause).kind, kind, JSON.stringify(cause));
    assertEquals(storeError("try", cause).kind, kind);
  }
  assertEquals(storeError("try", new Error("why")).message, "Cannot try: why");
  const known = new StoreError("closed", "is closed");
  assertEquals(storeError("try", known) === known, true);
});

Deno.test("a spool file names its owner, one of an older version nobody", () => {
  assertEquals(ownerOf("0123456789abcdef-17.eml"), "0123456789abcdef");
  for (const name of ["0123456789abcde-17.eml", "0123456789abcdef-.eml", "x.eml", ""]) {
    assertEquals(ownerOf(name), null);
  }
});

/** A scheduler that has places for some, and notes what it is asked. */
function placesFor(has: (domain: string) => boolean) {
  const calls: string[] = [];
  const entered: ClaimedMessage[] = [];
  const named = (recipients: readonly { readonly domain: string }[], bytes: number) =>
    `${recipients.map(({ domain }) => domain).join()} ${bytes}`;
  const lease: Lease = { owner: "node-a", untilMs: NOW_MS + 1 };
  const scheduler = {
    reserve(recipients: readonly { readonly domain: string }[], bytes: number): Lease | null {
      calls.push(`reserve ${named(recipients, bytes)}`);
      return has(recipients[0]?.domain ?? "") ? lease : null;
    },
    unreserve: (recipients: readonly { readonly domain: string }[], bytes: number) =>
      void calls.push(`unreserve ${named(recipients, bytes)}`),
    enterReserved(claimed: ClaimedMessage, given?: Lease) {
      calls.push(`enter ${claimed.message.id.slice(-1)} ${given === lease}`);
      entered.push(claimed);
    },
    wake: () => void calls.push("wake"),
  };
  return { scheduler, calls, entered };
}

/** A store that notes what is put, and fails where told. */
function storeOf(failure: Error | null = null) {
  const put: (readonly NewMessage[])[] = [];
  const answer = (messages: readonly NewMessage[]) => {
    put.push(messages);
    return failure === null ? Promise.resolve() : Promise.reject(failure);
  };
  const store = { put: (message: NewMessage) => answer([message]), putAll: answer };
  return { store: store as never, put };
}

const atOnce = (number: number, domain: string, overrides: Partial<NewMessage> = {}) =>
  messageOf(number, {
    ...{ to: [recipientOf(`user@${domain}`)], receivedAtMs: NOW_MS },
    ...overrides,
  });

Deno.test("fresh mail enters with its commit where there are places, else it is looked for", async () => {
  const { scheduler, calls, entered } = placesFor((domain) => domain !== "full.example");
  const { store, put } = storeOf();
  const spooled = { kind: "spool", name: "file" } as const;
  const head = { kind: "inline", bytes: new Uint8Array(9), head: new Uint8Array(1) } as const;
  const later = recipientOf("b@later.example", { nextAttemptAtMs: NOW_MS + 1 });
  await storeFresh([
    atOnce(1, "a.example"),
    atOnce(2, "full.example"),
    atOnce(3, "c.example", { place: spooled }),
    atOnce(4, "d.example", { place: head }),
    messageOf(5, { to: [recipientOf("a@e.example"), later], receivedAtMs: NOW_MS }),
  ], { store, scheduler });
  assertEquals(calls, [
    "reserve a.example 20",
    "reserve full.example 20",
    "reserve c.example 0",
    "reserve d.example 0",
    ...["enter 1 true", "wake", "enter 3 true", "enter 4 true", "wake"],
  ]);
  assertEquals(put.map((messages) => messages.map(({ lease }) => lease !== undefined)), [
    [true, false, true, true, false],
  ]);
  assertEquals(entered.map(({ bytes }) => bytes?.length), [20, undefined, undefined]);
  const [first] = entered;
  assertEquals(["place" in (first?.message ?? {}), "lease" in (first?.message ?? {})], [
    ...[false, false],
  ]);
  assertEquals(first?.recipients, [{
    ...{ ...recipientOf("user@a.example"), index: 0, attempts: 0, delayNotified: false },
    lastReply: "",
  }]);
});

Deno.test("places are given back when the store refuses, those that were taken", async () => {
  const { scheduler, calls } = placesFor((domain) => domain !== "full.example");
  const { store } = storeOf(new StoreError("full", "no space"));
  const both = [atOnce(1, "full.example"), atOnce(2, "b.example")];
  await assertRejects(() => storeFresh(both, { store, scheduler }), StoreError);
  assertEquals(calls.slice(2), ["unreserve b.example 20"]);
  calls.length = 0;
  await assertRejects(() => storeFresh(both.slice(1), { store, scheduler }), StoreError);
  assertEquals(calls, ["reserve b.example 20", "unreserve b.example 20"]);
});

/** A spool in memory, and what it was asked. */
function memorySpool() {
  const files: Uint8Array[][] = [];
  let discarded = 0;
  const spool = () => {
    const file: Uint8Array[] = [];
    files.push(file);
    return {
      write: (chunk: Uint8Array) => Promise.resolve(void file.push(chunk.slice())),
      finish: () => Promise.resolve(`file${files.length}`),
      discard: () => Promise.resolve(void discarded++),
    };
  };
  const textOf = (index: number) =>
    files[index]?.map((chunk) => new TextDecoder().decode(chunk)).join("");
  return { spool, files, textOf, discarded: () => discarded };
}

Deno.test("messages of a batch that say the same share their octets", async () => {
  const { spool, files } = memorySpool();
  const rests = new SharedRests({ spool, thresholdBytes: 10 });
  const place = async (...chunks: readonly string[]) => {
    const writer = rests.begin();
    for (const chunk of chunks) await writer.write(encodeText(chunk));
    const found = await writer.finish();
    return found.kind === "inline" ? new TextDecoder().decode(found.bytes) : found.name;
  };
  assertEquals([await place("abc", "def"), rests.storedBytes], ["abcdef", 6]);
  assertEquals([await place("abcdef"), rests.storedBytes], ["abcdef", 6]);
  assertEquals([await place("ab", "cdeX"), rests.storedBytes], ["abcdeX", 12]);
  assertEquals([await place("abc"), rests.storedBytes], ["abc", 15], "the beginning of another");
  assertEquals([await place("abcd"), rests.storedBytes], ["abcd", 19], "more than another");
  assertEquals([await place(), rests.storedBytes], ["", 19]);
  assertEquals(files.length, 0);
  assertEquals([await place("0123456789"), files.length], ["0123456789", 0]);
  assertEquals([await place("01234567890"), files.length], ["file1", 1]);
  assertEquals([await place("01234567890"), files.length], ["file1", 1]);
  assertEquals(rests.storedBytes, 40);
});

Deno.test("octets of a batch may change once they are written, and a place is one's own", async () => {
  const { spool, textOf, discarded } = memorySpool();
  const rests = new SharedRests({ spool, thresholdBytes: 4 });
  const chunk = encodeText("hello");
  const writer = rests.begin();
  await writer.write(chunk);
  chunk.fill(0);
  await writer.finish();
  assertEquals(textOf(0), "hello");
  await writer.discard();
  assertEquals(discarded(), 1);
  await rests.begin().discard();
  assertEquals(discarded(), 1);
});

/** Counts that a test changes, kept in a shelf. */
async function keeperOf(kept: readonly (readonly [key: string, value: string])[] = []) {
  const clock = new ManualClock(NOW_MS);
  const { shelf } = openMemoryStore({ clock });
  for (const [key, value] of kept) await shelf.put("counts", { key, value, expiresAtMs: null });
  const changed: KeptCounts[] = [];
  const restored: unknown[] = [];
  const errors: unknown[] = [];
  let change = (): void => {};
  const keeper = new CountKeeper({
    ...{ space: "counts", shelf, clock, onError: (error) => errors.push(error) },
    book: {
      watch: (onChange) => void (change = onChange),
      takeChanged: () => changed.splice(0),
      restore: (found) => restored.push(...found),
    },
  });
  const add = (key: string, count: number): void => {
    changed.push({ key, counts: { count }, expiresAtMs: NOW_MS + 5_000 });
    change();
  };
  const stored = async () =>
    (await shelf.list({ space: "counts", limit: 9 })).map(({ key, value }) => `${key} ${value}`);
  return { clock, shelf, keeper, add, stored, restored, errors };
}

Deno.test("what was counted is written a second later, once for all that changed", async () => {
  const { clock, keeper, add, stored } = await keeperOf();
  add("a", 1);
  add("b", 2);
  assertEquals(clock.timers, 1);
  await clock.advance(999);
  assertEquals(await stored(), []);
  await clock.advance(1);
  assertEquals(await stored(), ['a {"count":1}', 'b {"count":2}']);
  add("a", 3);
  assertEquals(clock.timers, 1);
  await keeper[Symbol.asyncDispose]();
  assertEquals([clock.timers, await stored()], [0, ['a {"count":3}', 'b {"count":2}']]);
  await clock.advance(5_000);
  assertEquals(await stored(), []);
});

Deno.test("counts of another version are read as far as they are understood, page by page", async () => {
  const many = Array.from({ length: 1_001 }, (_, index): readonly [string, string] => [
    `k${String(index).padStart(4, "0")}`,
    '{"count":1,"other":"text"}',
  ]);
  const { keeper, restored } = await keeperOf([...many, ["x", "{"], ["y", "null"], ["z", "5"]]);
  await keeper.load();
  assertEquals(restored.length, 1_004);
  assertEquals(restored[0], { key: "k0000", counts: { count: 1 } });
  assertEquals(restored.slice(-3), ["x", "y", "z"].map((key) => ({ key, counts: {} })));
});

Deno.test("a failing shelf is reported, and the next counts are written all the same", async () => {
  const { clock, shelf, add, stored, errors } = await keeperOf();
  const put = shelf.put.bind(shelf);
  shelf.put = () => Promise.reject(new Error("no"));
  add("a", 1);
  await clock.advance(1_000);
  shelf.put = put;
  add("b", 2);
  await clock.advance(1_000);
  assertEquals([errors.length, await stored()], [1, ['b {"count":2}']]);
});

Deno.test("what next hops call a message is known for thirty days", async () => {
  const clock = new ManualClock(NOW_MS);
  const { shelf } = openMemoryStore({ clock });
  const about = { messageId: "ONE", recipients: [0, 2] };
  const { space, ...entry } = remoteIdRecord("ses:1", { ...about, nowMs: NOW_MS });
  await shelf.put(space, entry);
  await shelf.put(space, { key: "bad", value: "{", expiresAtMs: null });
  assertEquals([await findRemote(shelf, "ses:1"), await findRemote(shelf, "ses:2")], [about, null]);
  assertEquals(await findRemote(shelf, "bad"), null);
  await clock.advance(30 * 24 * HOUR_MS - 1);
  assertEquals(await findRemote(shelf, "ses:1"), about);
  await clock.advance(1);
  assertEquals(await findRemote(shelf, "ses:1"), null);
});

Deno.test("suppressions: what is not proven is shown, and keeps nobody from mail", async () => {
  const clock = new ManualClock(NOW_MS);
  const { shelf } = openMemoryStore({ clock });
  const list = new SuppressionList({ shelf, clock });
  const said = { address: "Ada@dest.example", source: "fbl", expiresAtMs: null };
  await list.note({ ...said, reason: "one" });
  await list.note({ ...said, reason: "two" });
  assertEquals([list.mayHave("ada@dest.example"), await list.find("ada@dest.example")], [
    ...[false, null],
  ]);
  const known = { address: "ada@dest.example", source: "fbl", addedAtMs: NOW_MS };
  assertEquals((await list.list({ limit: 9 })).items, [
    { ...known, reason: "two", unproven: true, expiresAtMs: null },
  ]);
  await list.add({ ...said, reason: "three" });
  await list.note({ ...said, reason: "four" });
  assertEquals(await list.find("ada@dest.example"), {
    ...{ ...known, reason: "three", expiresAtMs: null },
  });
});

Deno.test("suppressions: a damaged entry suppresses, and a list knows none of others until it looks", async () => {
  const clock = new ManualClock(NOW_MS);
  const { shelf } = openMemoryStore({ clock });
  await shelf.put("suppressed", { key: "ada@dest.example", value: "{", expiresAtMs: null });
  const list = new SuppressionList({ shelf, clock });
  assertEquals(list.mayHave("ada@dest.example"), false);
  await list.refresh();
  assertEquals(list.mayHave("ada@dest.example"), true);
  assertEquals(await list.find("ada@dest.example"), {
    ...{ address: "ada@dest.example", reason: "", source: "", addedAtMs: 0, expiresAtMs: null },
  });
  const page = await list.list({ limit: 1 });
  assertEquals(page.cursor, null);
  await settle();
});
