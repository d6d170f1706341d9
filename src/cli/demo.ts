import { type Relay, startRelay } from "../app.ts";
import { sleep, systemClock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import type { Config } from "../config/schema.ts";
import type { QueueStore } from "../queue/store.ts";
import { type Command, type Invocation, JSON_FLAG } from "./command.ts";
import { type Destination, startDestination } from "./demo/destination.ts";
import { demoLetters } from "./demo/letters.ts";
import { reportDemo, resultsOf } from "./demo/report.ts";
import { sendLetters } from "./demo/senders.ts";
import { Tally } from "./demo/tally.ts";
import { type CliIo, EXIT, type ExitCode, writeJson } from "./io.ts";
import { ProgressBar } from "./progress.ts";
import { styleOf } from "./style.ts";

const DEFAULT_MESSAGES = 300;
const SEED = 5321;

/** Shows the relay at work. */
export const demoCommand: Command = {
  name: "demo",
  summary: "Demonstrate the relay on this machine.",
  details: "Starts a relay with its queue in a temporary folder, and a destination that accepts " +
    "mail, defers some of it once and refuses some. Sends messages with attachments, in " +
    "several languages and to long lists, and reports the results.",
  flags: [
    {
      name: "messages",
      short: "n",
      kind: "count",
      value: "N",
      help: `Messages to send. Default: ${DEFAULT_MESSAGES}.`,
    },
    { name: "keep", kind: "switch", help: "Keep the relay running until Ctrl-C." },
    JSON_FLAG,
  ],
  examples: [
    { command: "demo", does: "Send some hundred messages" },
    { command: "demo --messages 5000", does: "Send more messages" },
    { command: "demo --keep", does: "Keep it running to try other commands" },
  ],
  run: demo,
};

async function demo(invocation: Invocation): Promise<ExitCode> {
  const { io, flags } = invocation;
  const interrupted = Promise.withResolvers<void>();
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(io.onSignal(["SIGINT", "SIGTERM"], () => interrupted.resolve()));
  const folder = await Deno.makeTempDir({ prefix: "posthouse-demo-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const destination = cleanup.use(await startDestination());
  const tally = new Tally();
  const config = await demoConfig(folder, destination);
  const relay = await startRelay(config, { events: tally.sink });
  cleanup.defer(() => relay.stop());

  const work = runDemo(invocation, { relay, tally, destination });
  const exitCode = await Promise.race([work, interrupted.promise]) ?? EXIT.failed;
  if (exitCode === EXIT.ok && flags.switch("keep")) {
    tellHowToPlay(io, { relay, folder });
    await interrupted.promise;
  }
  return exitCode;
}

/** Sends everything, waits until it has arrived, and tells what happened. */
async function runDemo(
  { io, flags }: Invocation,
  { relay, tally, destination }: { relay: Relay; tally: Tally; destination: Destination },
): Promise<ExitCode> {
  const total = flags.number("messages") ?? DEFAULT_MESSAGES;
  const letters = demoLetters(total, seededRandom(SEED));
  const startedAtMs = performance.now();
  const failure = await withProgress(io, {
    label: "Sending",
    total,
    tally,
    done: () => tally.messages,
    work: () => sendLetters(letters, portOf(relay)),
  });
  if (failure !== null) {
    io.err(`${failure}\n`);
    return EXIT.failed;
  }
  const sentMs = performance.now() - startedAtMs;
  await withProgress(io, {
    label: "Delivering",
    total: tally.recipients,
    tally,
    done: () => tally.settled,
    work: () => tally.whenDone(),
  });
  await waitUntilSettled(relay.store);
  const doneMs = performance.now() - startedAtMs;
  const deferred = tally.deferredId === null ? null : await relay.store.get(tally.deferredId);
  const results = resultsOf(tally, { sentMs, doneMs, destination });
  if (flags.switch("json")) writeJson(io, { ...results, deferred });
  else reportDemo(io, { results, deferred });
  return EXIT.ok;
}

/** An outcome is told before it is in the store; the timeline is read after. */
async function waitUntilSettled(store: QueueStore): Promise<void> {
  while ((await store.stats()).liveMessages > 0) await sleep(systemClock, { delayMs: 20 });
}

/** Shows a bar that moves with the tally while `work` goes on. */
async function withProgress<T>(
  io: CliIo,
  { label, total, tally, done, work }: {
    label: string;
    total: number;
    tally: Tally;
    done: () => number;
    work: () => Promise<T>;
  },
): Promise<T> {
  using bar = new ProgressBar(io, { label, total });
  tally.onChange = () => bar.update(done());
  try {
    return await work();
  } finally {
    tally.onChange = () => {};
  }
}

/** A relay for loopback, which sends everything to the demo's destination. */
async function demoConfig(folder: string, { port }: Destination): Promise<Config> {
  const source = `
    hostname = "relay.shop.example"
    data_dir = ${JSON.stringify(`${folder}/data`)}
    listeners = [{ name = "smtp", port = 0 }]
    admin = { port = 0, open_on_loopback = true }
    queue = { retry = ["1s", "2s"], drain_timeout = "2s" }
    transports.destination = { type = "smarthost", hosts = ["127.0.0.1:${port}"] }
  `;
  const loaded = await loadConfig({
    path: "demo.toml",
    env: () => undefined,
    readFile: () => Promise.resolve(source),
    systemHostname: "localhost",
  });
  if (loaded.kind === "ok") return loaded.config;
  throw new Error(loaded.problems.map(formatProblem).join("\n"));
}

function tellHowToPlay(io: CliIo, { relay, folder }: { relay: Relay; folder: string }): void {
  const style = styleOf(io);
  const line = (command: string): string => `  ${style.cyan(`posthouse ${command}`)}\n`;
  const { admin } = relay;
  if (admin !== null && "port" in admin) {
    io.out(`\nThe dashboard is at ${style.cyan(`http://127.0.0.1:${admin.port}/`)}\n`);
  }
  io.out(
    `\nThe relay listens on 127.0.0.1 port ${portOf(relay)} until Ctrl-C. Try:\n` +
      line(`send --generate --to you@slow.example --server 127.0.0.1:${portOf(relay)}`) +
      line(`queue list --all --data-dir ${folder}/data`),
  );
}

function portOf(relay: Relay): number {
  return relay.listeners[0]?.port ?? 0;
}
