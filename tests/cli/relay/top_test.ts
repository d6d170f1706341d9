import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { screenOf } from "../../../src/cli/relay/top_view.ts";
import type { Style } from "../../../src/cli/style.ts";
import { startTestRelay } from "./running_relay.ts";

Deno.test("top writes one picture where there is no terminal", async () => {
  await using relay = await startTestRelay();
  await relay.send("you@example.org");
  const { code, out } = await relay.run(["top"]);
  assertEquals(code, 0);
  assertMatch(out, /^relay\.example\.net Posthouse \d+\.\d+\.\d+, up /);
  assertMatch(out, /^Healthy$/m);
  assertMatch(out, /^last hour +1 +0 +1 +0 +0 /m);
  assertMatch(out, /^out +smarthost +up/m);
  assertEquals(out.includes("\x1b"), false);
  const facts = JSON.parse((await relay.run(["top", "--json"])).out);
  assertEquals(facts.status.info.hostname, "relay.example.net");
});

Deno.test("top on a terminal draws again until q", async () => {
  await using relay = await startTestRelay();
  const top = relay.start(["top", "--interval", "10m"], { terminals: ["stdin", "stdout"] });
  await top.waitForOutput(/q quits/);
  await relay.send("you@example.org");
  top.key("r");
  await top.waitForOutput(/last hour +1 /);
  top.key("q");
  const { code, out } = await top.finished;
  assertEquals(code, 0);
  assert(out.startsWith("\x1b[?1049h"));
  assert(out.endsWith("\x1b[?1049l"));
});

const plain = (text: string): string => text;
const PLAIN: Style = {
  ...{ bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain },
};

Deno.test("the screen has as many lines as the terminal", () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  for (const count of [0, 1, 9, 10, 40]) {
    const screen = screenOf(lines.slice(0, count), { rows: 10, width: 80, style: PLAIN });
    assertEquals(screen.split("\r\n").length, 10);
  }
  assertStringIncludes(screenOf(lines, { rows: 10, width: 80, style: PLAIN }), "… 32 more lines");
});
