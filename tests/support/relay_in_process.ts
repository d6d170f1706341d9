import { type Relay, startRelay } from "../../src/app.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Config } from "../../src/config/schema.ts";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { tempFolder } from "./peers.ts";

/** A relay in the process of the test, in a folder of its own. */
export interface InProcessRelay extends AsyncDisposable {
  readonly relay: Relay;
  /** What it was started with. */
  readonly config: Config;
  /** Where it accepts SMTP. */
  readonly smtpPort: number;
  /** Where its HTTP API is. */
  readonly origin: string;
  /** Where its queue is. */
  readonly dataDir: string;
  readonly events: readonly RelayEvent[];
  /** Resolves with the first event that fits, also one that was before. */
  waitFor(fits: (event: RelayEvent) => boolean): Promise<RelayEvent>;
  /** Resolves when what events told so far is in the store, which takes writes in their order. */
  stored(): Promise<void>;
}

/** Starts one; `toml` is added to a config with a listener and the admin API. */
export async function startInProcessRelay(
  { toml, clock, env = {} }: {
    toml: string;
    clock?: Clock;
    env?: Readonly<Record<string, string>>;
  },
): Promise<InProcessRelay> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const head = `data_dir = "${folder.path}/data"\nlisteners = [{ name = "smtp", port = 0 }]\n` +
    `admin.port = 0\n` + (/open_on_loopback/.test(toml) ? "" : "admin.open_on_loopback = true\n");
  const loaded = await loadConfig({
    path: "posthouse.toml",
    env: (name) => env[name],
    readFile: () => Promise.resolve(head + toml),
    systemHostname: "relay.test",
  });
  if (loaded.kind !== "ok") throw new Error(loaded.problems.map(formatProblem).join("\n"));
  const events: RelayEvent[] = [];
  const waiting = new Set<() => void>();
  const relay = await startRelay(loaded.config, {
    ...(clock === undefined ? {} : { clock }),
    events(event) {
      events.push(event);
      for (const look of waiting) look();
    },
  });
  stack.defer(() => relay.stop());
  const { admin } = relay;
  const owned = stack.move();
  return {
    ...{ relay, config: loaded.config, events, dataDir: `${folder.path}/data` },
    smtpPort: relay.listeners[0]?.port ?? 0,
    origin: admin !== null && "port" in admin ? `http://127.0.0.1:${admin.port}` : "",
    waitFor: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = events.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    stored: () => relay.store.outbox.append([]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
