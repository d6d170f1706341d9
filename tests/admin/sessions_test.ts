import { assertEquals } from "@std/assert";
import { Sessions } from "../../src/admin/guard/sessions.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ManualClock } from "../support/manual_clock.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ADA = { owner: { kind: "user", name: "ada" }, stamp: "" } as const;

function setUp() {
  const clock = new ManualClock();
  const sessions = new Sessions({ clock, random: seededRandom(1), lifetimeMs: HOUR_MS });
  const secret = sessions.begin(ADA);
  return { clock, isOn: () => sessions.find(secret) !== null };
}

Deno.test("a session ends with its lifetime", async () => {
  const { clock, isOn } = setUp();
  await clock.advance(HOUR_MS - 1);
  assertEquals(isOn(), true);
  await clock.advance(1);
  assertEquals(isOn(), false);
});

Deno.test("a session is not made longer by a clock that is set back", async () => {
  const { clock, isOn } = setUp();
  clock.set(-DAY_MS);
  assertEquals(isOn(), true);
  await clock.advance(HOUR_MS);
  assertEquals(isOn(), false);
});
