import { assertEquals, assertRejects } from "@std/assert";
import { PauseKeeper } from "../../../src/app/admin/pause_keeper.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { tempFolder } from "../../support/peers.ts";

Deno.test("what operators paused survives a restart, until its time is over", async () => {
  await using folder = await tempFolder();
  const clock = new ManualClock();
  const options = { path: `${folder.path}/data/pauses.json`, clock };
  const about = { reason: "slow", by: "ada", sinceMs: clock.now() };
  const before = new PauseKeeper(options);
  await before.load();
  await before.pause("domains", "a.example", { ...about, untilMs: null });
  await before.pause("domains", "b.example", { ...about, untilMs: clock.now() + 1000 });
  await before.pause("transports", "mx", { ...about, untilMs: null });

  const after = new PauseKeeper(options);
  await after.load();
  assertEquals(after.pauses.domains.get("a.example", clock.now()), { ...about, untilMs: null });
  assertEquals([...after.pauses.domains.all(clock.now()).keys()], ["a.example", "b.example"]);
  await clock.advance(1000);
  assertEquals(after.pauses.domains.get("b.example", clock.now()), null);
  assertEquals(await after.resume("domains", "b.example"), false);
  assertEquals(await after.resume("transports", "mx"), true);
  assertEquals(await after.resume("transports", "mx"), false);
});

Deno.test("a damaged file of pauses keeps the relay from sending what somebody stopped", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/pauses.json`;
  await Deno.writeTextFile(path, `{"version":1`);
  const keeper = new PauseKeeper({ path, clock: new ManualClock() });
  await assertRejects(() => keeper.load(), Error, `Cannot read ${path}`);
});
