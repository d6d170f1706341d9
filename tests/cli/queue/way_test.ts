import { assertEquals, assertStringIncludes } from "@std/assert";
import { openSqliteStore } from "../../../src/queue/sqlite/store.ts";
import { richMessage, testQueue } from "./queue_setup.ts";

const ID = "1M84EQRXE3K2ZW60";

async function withMessage() {
  const queue = await testQueue();
  await using store = await openSqliteStore({ folder: queue.dataDir });
  await store.put(richMessage(ID));
  return queue;
}

Deno.test("queue reroute chooses a transport of the config, and gives it up again", async () => {
  await using queue = await withMessage();
  const { code, out } = await queue.run(["reroute", ID, "--to", "mx"]);
  assertEquals([code, out], [0, "Rerouted 1 message.\n"]);
  const [message] = await queue.messages();
  assertEquals(message?.recipients.map(({ transport }) => transport), ["mx", "mx"]);
  assertEquals(message?.timeline.at(-1)?.detail, { by: "command line", transport: "mx" });
  const none = await queue.run(["reroute", "--transport", "other", "--to-routes"]);
  assertEquals([none.code, none.out], [0, "Rerouted 0 messages.\n"]);
  await queue.run(["reroute", "--transport", "mx", "--to-routes"]);
  assertEquals((await queue.messages())[0]?.recipients[0]?.rerouted, undefined);
});

Deno.test("queue reroute wants one transport that there is", async () => {
  await using queue = await withMessage();
  const unknown = await queue.run(["reroute", ID, "--to", "nowhere"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.err, "There is no transport nowhere");
  assertEquals((await queue.run(["reroute", ID])).code, 2);
  assertEquals((await queue.run(["reroute", ID, "--to", "mx", "--to-routes"])).code, 2);
  assertEquals((await queue.run(["reroute", "--to", "mx"])).code, 2);
});

Deno.test("queue recipients replaces, adds and removes", async () => {
  await using queue = await withMessage();
  const args = ["recipients", "--remove", "A@one.example", "--add", "a@new.example"];
  assertEquals((await queue.run(args)).out, "Changed 1 message.\n");
  assertEquals((await queue.run(args)).out, "Changed 0 messages.\n");
  await queue.run(["recipients", ID, "--add", "c@new.example", "--add", "b@two.example"]);
  const [message] = await queue.messages();
  assertEquals(message?.recipients.map(({ forwardPath, state }) => `${forwardPath} ${state}`), [
    "a@one.example cancelled",
    "b@two.example held",
    "a@new.example queued",
    "c@new.example queued",
  ]);
  assertEquals((await queue.run(["recipients", ID])).code, 2);
  assertEquals((await queue.run(["recipients", ID, "--add", "nobody"])).code, 2);
});
