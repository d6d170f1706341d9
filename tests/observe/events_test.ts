/** Events on their way: how much each matters, and what a sink that fails does to the others. */
import { assertEquals } from "@std/assert";
import { EVENT_LEVELS, levelOf } from "../../src/observe/event_level.ts";
import { fanOut, type RelayEvent } from "../../src/observe/events.ts";

/** Whatever its other fields are. */
function event(type: RelayEvent["type"]): RelayEvent {
  return { type } as RelayEvent;
}

Deno.test("levels: warnings are mail that is lost or late, steps of a session are for looking closer", () => {
  const byLevel = {
    debug: ["session_opened", "session_closed", "session_secured"],
    info: [
      ...["authenticated", "client_named", "command_refused", "accepted", "refused"],
      ...["delivered", "deferred", "suppressed", "feedback", "notified", "held", "released"],
      ...["retried", "cancelled", "returned", "rerouted", "readdressed", "deleted"],
      ...["destination_up", "listening", "started", "reloaded", "draining", "stopped", "operated"],
    ],
    warning: ["uncertain", "bounced", "expired", "destination_down"],
  } as const;
  for (const [level, types] of Object.entries(byLevel)) {
    for (const type of types) assertEquals<string>(levelOf(event(type)), level, type);
  }
  for (const level of ["warning", "error"] as const) {
    assertEquals(levelOf({ type: "trouble", level, component: "x", message: "y" }), level);
  }
  assertEquals(EVENT_LEVELS, ["debug", "info", "warning", "error"]);
});

Deno.test("fan out: a sink that throws is told to the others, and to itself no more", () => {
  const [first, last]: [RelayEvent[], RelayEvent[]] = [[], []];
  const cause = new Error("full");
  let calls = 0;
  const broken = (): never => {
    calls++;
    throw cause;
  };
  const started = event("started");
  fanOut([(event) => first.push(event), broken, (event) => last.push(event)])(started);
  const trouble = {
    ...{ type: "trouble", level: "error", component: "events", message: "full", cause },
  } as const;
  assertEquals([first, last, calls], [[started, trouble], [trouble, started], 1]);
});

Deno.test("fan out: sinks that all throw end it, and what is no error is told as text", () => {
  const told: RelayEvent[] = [];
  const broken = [1, 2].map((number) => () => {
    throw `no ${number}`;
  });
  fanOut(broken)(event("started"));
  fanOut([...broken, (event) => told.push(event)])(event("started"));
  const messages = told.flatMap((event) => event.type === "trouble" ? [event.message] : []);
  assertEquals(new Set(messages), new Set(["no 1", "no 2"]));
  assertEquals(told.at(-1)?.type, "started");
});
