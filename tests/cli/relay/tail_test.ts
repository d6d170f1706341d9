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

/** A place that passes connections on, until they are cut, to a port that may be changed. */
function startPassage(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let target = port;
  const pass = async (conn: Deno.Conn): Promise<void> => {
    open.add(conn);
    try {
      using other = await Deno.connect({ hostname: "127.0.0.1", port: target });
      open.add(other);
      const both = [conn.readable.pipeTo(other.writable), other.readable.pipeTo(conn.writable)];
      await Promise.allSettled(both);
    } catch {
      // cut, or nobody is there
    } finally {
      open.delete(conn);
      conn.close();
    }
  };
  const passing = (async () => {
    const all: Promise<void>[] = [];
    for await (const conn of listener) all.push(pass(conn).catch(() => {}));
    await Promise.all(all);
  })();
  const cut = (next = target): void => {
    target = next;
    for (const conn of [...open]) conn.close();
    open.clear();
  };
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    cut,
    async [Symbol.asyncDispose]() {
      listener.close();
      cut();
      await passing;
    },
  };
}

Deno.test("tail comes back when the connection is lost, and shows what it missed", async () => {
  await using relay = await startTestRelay();
  await using other = await startTestRelay();
  await using passage = startPassage(Number(new URL(relay.url).port));
  await relay.send("first@example.org");
  const tail = relay.start(["tail", "--type", "delivered", "--url", passage.url]);
  await tail.waitForOutput(/first@example\.org/);
  await relay.send("second@example.org");
  await tail.waitForOutput(/second@example\.org/);
  passage.cut();
  await relay.send("third@example.org");
  await tail.waitForOutput(/third@example\.org/);
  // Another relay counts its events anew.
  await other.send("fourth@example.org");
  passage.cut(Number(new URL(other.url).port));
  await tail.waitForOutput(/fourth@example\.org/);
  tail.signal("SIGINT");
  const { code, out, err } = await tail.finished;
  assertEquals([code, out.trimEnd().split("\n").length], [0, 4]);
  assertEquals(err.trimEnd().split("\n"), [
    "Lost the connection to the relay; reconnecting.",
    "Reconnected.",
    "Lost the connection to the relay; reconnecting.",
    "Reconnected; the relay was restarted.",
  ]);
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
