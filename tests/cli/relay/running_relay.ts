import { startRelay } from "../../../src/app.ts";
import { startDestination } from "../../../src/cli/demo/destination.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { tempFolder } from "../../support/peers.ts";
import { type Finished, run, start, type Started, type World } from "../support.ts";

/** A relay in this process, and commands that ask it. */
export interface RunningRelay extends AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  readonly smtpPort: number;
  /** Runs a command with `POSTHOUSE_URL` set to the relay. */
  run(args: readonly string[], world?: World): Promise<Finished>;
  /** Starts one. */
  start(args: readonly string[], world?: World): Started;
  /** Sends one message through the relay and waits until it was handed on. */
  send(to: string): Promise<void>;
}

/** Starts a relay that sends everything to a destination of its own. */
export async function startTestRelay(more = ""): Promise<RunningRelay> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await tempFolder());
  const destination = cleanup.use(await startDestination());
  let onEvent = (_event: RelayEvent): void => {};
  const loaded = await loadConfig({
    path: "test.toml",
    env: () => undefined,
    readFile: () =>
      Promise.resolve(`
        hostname = "relay.example.net"
        data_dir = ${JSON.stringify(`${folder.path}/data`)}
        listeners = [{ name = "smtp", port = 0 }]
        transports.out = { type = "smarthost", hosts = ["127.0.0.1:${destination.port}"] }
        admin.port = 0
        ${/open_on_loopback/.test(more) ? "" : "admin.open_on_loopback = true"}
        ${more}`),
    systemHostname: "localhost",
  });
  if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded.problems));
  const relay = await startRelay(loaded.config, { events: (event) => onEvent(event) });
  cleanup.defer(() => relay.stop());
  const { admin } = relay;
  const url = admin !== null && "port" in admin ? `http://127.0.0.1:${admin.port}` : "";
  const worldOf = (world: World = {}): World => ({
    ...world,
    env: { POSTHOUSE_URL: url, ...world.env },
  });
  const moved = cleanup.move();
  return {
    ...{ url, folder: folder.path, smtpPort: relay.listeners[0]?.port ?? 0 },
    run: (args, world) => run(args, worldOf(world)),
    start: (args, world) => start(args, worldOf(world)),
    async send(to) {
      const delivered = Promise.withResolvers<void>();
      onEvent = ({ type }) => type === "delivered" && delivered.resolve();
      const port = relay.listeners[0]?.port ?? 0;
      await run(["send", "-g", "-q", "--to", to, "-s", `127.0.0.1:${port}`]);
      await delivered.promise;
    },
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
