/** What waits for the store or the DNS goes on once, by what its look-up comes to. */
import { assertEquals } from "@std/assert";
import { TaskGroup } from "../../src/base/task_group.ts";
import { type Holding, LookUps } from "../../src/delivery/look_ups.ts";

const REPLY = "Cannot look up the route, see the relay's log";

function benchOf() {
  const said: string[] = [];
  const tasks = new TaskGroup((error) => said.push(`defect ${error}`));
  const lookUps = new LookUps({
    ...{ suppressions: null, tasks },
    onReady: () => said.push("ready"),
    onRecalled: () => said.push("recalled"),
    onFailed(_, { error, outcome }) {
      if (outcome.kind !== "temporary") throw new TypeError(outcome.kind);
      const { reply: { code, enhanced, lines }, counts, retryAfterMs } = outcome;
      said.push(`failed ${error} ${code} ${enhanced} ${lines} ${counts} ${retryAfterMs}`);
    },
  });
  const holding = { recipients: [] } as unknown as Holding;
  const begin = (ready: Promise<string>, proceed?: (found: string) => void) =>
    lookUps.begin(holding, { ready, proceed: proceed ?? ((found) => said.push(`on ${found}`)) });
  return { said, tasks, lookUps, holding, begin };
}

Deno.test("what a look-up found goes on, and waits no longer", async () => {
  const { said, tasks, lookUps, holding, begin } = benchOf();
  begin(Promise.resolve("found"));
  assertEquals([...lookUps.waiting], [holding]);
  await tasks.idle();
  assertEquals([said, [...lookUps.waiting]], [["on found", "ready"], []]);
});

Deno.test("a look-up that fails puts off for a minute, recalled or not", async () => {
  const failed = `failed no 451 4.4.3 ${REPLY} false 60000`;
  for (const isRecalled of [false, true]) {
    const { said, tasks, lookUps, begin } = benchOf();
    begin(Promise.reject("no"));
    if (isRecalled) lookUps.recall(() => true);
    await tasks.idle();
    assertEquals([said, [...lookUps.waiting]], [[failed, "ready"], []]);
    begin(Promise.resolve("found"));
    await tasks.idle();
    assertEquals(said.slice(2), ["on found", "ready"], "it is recalled no longer");
  }
});

Deno.test("of what waits only what is meant is recalled, once", async () => {
  const { said, tasks, lookUps, holding, begin } = benchOf();
  begin(Promise.resolve("one"));
  lookUps.recall((other) => other !== holding);
  await tasks.idle();
  begin(Promise.resolve("two"));
  lookUps.recall((other) => other === holding);
  await tasks.idle();
  begin(Promise.resolve("three"));
  await tasks.idle();
  assertEquals(said, ["on one", "ready", "recalled", "ready", "on three", "ready"]);
});

Deno.test("what throws when it goes on is a defect, and puts nothing off", async () => {
  const { said, tasks, lookUps, begin } = benchOf();
  begin(Promise.resolve("found"), () => {
    throw "oops";
  });
  await tasks.idle();
  assertEquals([said, [...lookUps.waiting]], [["defect oops"], []]);
});
