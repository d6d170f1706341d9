/** Background work that its owner waits for, and hears of when it fails. */
import { assertEquals } from "@std/assert";
import { concatBytes, decodeText, encodeText } from "../../src/base/bytes.ts";
import { TaskGroup } from "../../src/base/task_group.ts";
import { settle } from "../support/manual_clock.ts";

Deno.test("task group: its end waits for all, and for what they start meanwhile", async () => {
  const group = new TaskGroup(() => {});
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  group.run(async () => {
    await first.promise;
    group.run(() => second.promise);
  });
  assertEquals(group.size, 1);
  let isOver = false;
  const ended = group[Symbol.asyncDispose]().then(() => isOver = true);
  first.resolve();
  await settle();
  assertEquals([isOver, group.size], [false, 1]);
  second.resolve();
  await ended;
  assertEquals(group.size, 0);
  await group.idle();
});

Deno.test("task group: a failure is told, and is over", async () => {
  const errors: unknown[] = [];
  const group = new TaskGroup((error) => errors.push(error));
  group.run(() => Promise.reject("no"));
  await group.idle();
  assertEquals([errors, group.size], [["no"], 0]);
});

Deno.test("bytes: text comes back, a mark at its start with it, and malformed octets are shown", () => {
  assertEquals(decodeText(encodeText("\ufeffä")), "\ufeffä");
  assertEquals(decodeText(Uint8Array.of(0x61, 0xff)), "a\ufffd");
  const joined = concatBytes([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
  assertEquals([...joined], [1, 2, 3]);
});
