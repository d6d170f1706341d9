import { assertEquals, assertMatch } from "@std/assert";
import { startTestRelay } from "../relay/running_relay.ts";
import { run } from "../support.ts";

/** A relay whose queue nobody can reach but by its API, with two messages that wait in it. */
async function relayWithMail() {
  const relay = await startTestRelay(`
    queue.store = "memory"
    transports.other = { type = "smarthost", hosts = ["127.0.0.1:9"] }
    routes = [{ name = "all", transports = ["out"] }]`);
  await relay.run(["transports", "pause", "out"]);
  for (const to of ["a@one.example", "b@two.example"]) {
    const server = `127.0.0.1:${relay.smtpPort}`;
    await run(["send", "-g", "-q", "--from", "me@x.example", "--to", to, "-s", server]);
  }
  return relay;
}

Deno.test("the messages of a relay elsewhere are listed, shown and changed by its API", async () => {
  await using relay = await relayWithMail();
  const list = async (...args: string[]): Promise<string[]> => {
    const { out } = await relay.run(["queue", "list", "--json", ...args]);
    return JSON.parse(out).items.map((
      { message, firstRecipients }: { message: { id: string }; firstRecipients: string[] },
    ) => `${message.id} ${firstRecipients.join()}`);
  };
  const [second = "", first = ""] = await list();
  assertMatch(first, / a@one\.example$/);
  assertMatch(second, / b@two\.example$/);
  assertEquals(await list("--domain", "one.example", "--state", "queued", "--larger-than", "1"), [
    first,
  ]);
  assertEquals(await list("--newer-than", "1h", "--text", "TWO", "--attempts", "0"), [second]);
  assertEquals(await list("--order", "oldest"), [first, second]);
  const [id = ""] = first.split(" ");
  assertMatch((await relay.run(["queue", "show", id])).out, /^0 +a@one\.example +queued /m);
  assertEquals(
    (await relay.run(["queue", "show", "1M84EQRXE3K2ZW99"])).err,
    [
      "There is no message 1M84EQRXE3K2ZW99.\n",
    ].join(""),
  );
  assertEquals(
    (await relay.run(["queue", "reroute", id, "--to", "other"])).out,
    "Rerouted 1 message.\n",
  );
  assertEquals((await relay.run(["queue", "reroute", id, "--to", "nowhere"])).code, 1);
  const changed = await relay.run(["queue", "recipients", id, "--add", "c@one.example"]);
  assertEquals(changed.out, "Changed 1 message.\n");
  assertEquals((await relay.run(["queue", "cancel", "--all"])).out, "Cancelled 2 messages.\n");
  assertEquals((await relay.run(["queue", "delete", id])).out, "Deleted 1 message.\n");
  assertEquals(await list("--all"), [second]);
});

Deno.test("a folder that is named is meant, whatever the environment says", async () => {
  await using relay = await relayWithMail();
  const dataDir = `${relay.folder}/nothing`;
  const { err } = await relay.run(["queue", "list", "--data-dir", dataDir]);
  assertEquals(err, `There is no queue in ${dataDir} yet.\n`);
});
