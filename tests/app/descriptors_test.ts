import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  CONNECTIONS_TO_REFUSE,
  countDescriptors,
  DescriptorBudget,
  descriptorsNeeded,
} from "../../src/app/descriptors.ts";
import type { Config } from "../../src/config/schema.ts";
import { ListenError } from "../../src/net/listener.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { load } from "../config/support.ts";

const TOML = `
  [[listeners]]
  name = "smtp"
  port = 25
  max_connections = 600
  [[listeners]]
  name = "submission"
  port = 587
  max_connections = 100
  [provider_events]
  sources = [{ provider = "mailgun", name = "mg", signing_key = "k" }]`;

async function loaded(toml: string): Promise<Config> {
  const result = await load(toml);
  assert(result.kind === "ok");
  return result.config;
}

function fit(config: Config, available: number): { config: Config; events: RelayEvent[] } {
  const events: RelayEvent[] = [];
  const budget = new DescriptorBudget(available, (event) => void events.push(event));
  return { config: budget.fit(config), events };
}

Deno.test("caps that fit stay as they are, without a word", async () => {
  const config = await loaded(TOML);
  const result = fit(config, descriptorsNeeded(config));
  assertEquals(result.config, config);
  assertEquals(result.events, []);
  assertEquals(fit(config, Infinity).events, []);
});

Deno.test("caps that do not fit are lowered until they do, and that is said", async () => {
  const config = await loaded(TOML);
  for (const available of [600, 1000, descriptorsNeeded(config) - 1]) {
    const { config: lowered, events } = fit(config, available);
    assert(
      descriptorsNeeded(lowered) <= available,
      `${descriptorsNeeded(lowered)} of ${available}`,
    );
    assert(lowered.listeners.every(({ maxConnections }) => maxConnections >= 4));
    assert(lowered.admin.maxConnections < config.admin.maxConnections);
    assertEquals(events.map(({ type }) => type), ["trouble"]);
  }
});

Deno.test("too few descriptors to be of use are refused with what would do", async () => {
  const config = await loaded(TOML);
  const error = assertThrows(() => fit(config, 120), ListenError);
  assert(error.message.includes(`to ${descriptorsNeeded(config) + 64}`), error.message);
});

Deno.test("the files that can be opened are counted up to what is asked for", () => {
  assertEquals(countDescriptors(20), 20);
  assert(CONNECTIONS_TO_REFUSE > 0);
});
