import { assertEquals, assertMatch } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import { serverSentEvents } from "../../../src/cli/relay/sse.ts";
import { startTestRelay } from "./running_relay.ts";

Deno.test("tail begins with the last events and follows", async () => {
  await using relay = await startTestRelay();
  await relay.send("first@example.org");
  const tail = relay.start(["tail", "--type", "delivered"]);
  await tail.waitForOutput(/first@example\.org/);
  await relay.send("second@example.org");
  await tail.waitForOutput(/second@example\.org/);
  tail.signal("SIGINT");
  const { code, out } = await tail.finished;
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n");
  assertEquals(lines.length, 2);
  assertMatch(lines[0] ?? "", /^\d\d:\d\d:\d\d\.\d{3} info +[0-9A-Z]{16} /);
});

Deno.test("tail gives programs one event a line", async () => {
  await using relay = await startTestRelay();
  await relay.send("you@example.org");
  const { code, out } = await relay.run([
    ...["tail", "--once", "--json", "--type", "accepted", "--text", "EXAMPLE"],
  ]);
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ event }) => event.type), ["accepted"]);
  assertEquals((await relay.run(["tail", "--once", "--last", "0"])).out, "");
});

Deno.test("server-sent events are the same however the stream is cut", async () => {
  const text = `retry: 2000\n\n:\n\nid: 1\nevent: a\ndata: {"x":"ü"}\n\ndata: 1\ndata: 2\n\n`;
  const bytes = encodeText(text);
  for (let at = 0; at <= bytes.length; at++) {
    const stream = ReadableStream.from([bytes.subarray(0, at), bytes.subarray(at)]);
    assertEquals(await Array.fromAsync(serverSentEvents(stream)), [
      { type: "a", data: `{"x":"ü"}` },
      { type: "message", data: "1\n2" },
    ]);
  }
});
