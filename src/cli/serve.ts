import { startRelay } from "../app.ts";
import { countDescriptors } from "../app/descriptors.ts";
import { UsersError } from "../auth/create_authenticator.ts";
import { systemClock } from "../base/clock.ts";
import type { LogConfig } from "../config/sections/log.ts";
import { CertificateError } from "../net/server_tls.ts";
import { ListenError } from "../net/listener.ts";
import { configureLogging, type Logging } from "../observe/log_sink.ts";
import type { RelayEvent } from "../observe/events.ts";
import { StoreError } from "../queue/store.ts";
import { type Command, CONFIG_FLAG, type Invocation } from "./command.ts";
import { formatWarning, type Warning } from "../config/problems.ts";
import { examine, readConfig, writeProblems } from "./configuration.ts";
import { type CliIo, EXIT, type ExitCode } from "./io.ts";
import { hasColors } from "./style.ts";

/** What may keep a relay from starting that is nobody's bug. */
const EXPECTED = [StoreError, ListenError, CertificateError, UsersError];

/** Runs the relay until it is told to stop. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Run the relay (the default command).",
  details:
    "On SIGTERM or SIGINT the relay stops accepting connections, lets sessions finish their " +
    "message, and gives running attempts queue.drain_timeout; a second signal stops it at " +
    "once. On SIGHUP it reloads the config without dropping sessions. Logs go to standard " +
    "output.",
  flags: [CONFIG_FLAG],
  examples: [
    { command: "serve", does: "Use posthouse.toml, or the defaults" },
    { command: "serve --config /etc/posthouse.toml", does: "Use another config file" },
  ],
  run: serve,
};

async function serve({ io, flags }: Invocation): Promise<ExitCode> {
  const loaded = await readConfig(io, flags);
  if (loaded.kind === "invalid") {
    writeProblems(io, loaded);
    return EXIT.usage;
  }
  const { config, file, effective } = loaded;
  const { problems, warnings } = await examine(io, loaded);
  if (problems.length > 0) {
    writeProblems(io, { problems });
    return EXIT.usage;
  }
  await using logging = startLogging(io, config.log);
  for (const warning of warnings) logging.sink(warningEvent(warning));
  const onError = (cause: unknown): void => logging.sink(defectEvent(cause));
  using signals = new Signals(io, { onError });
  using stack = new DisposableStack();
  stack.defer(io.onDefect(onError));
  try {
    const relay = await startRelay(config, {
      events: logging.sink,
      countDescriptors,
      loaded: { file, effective, load: () => readConfig(io, flags) },
    });
    signals.onReload = () => relay.reloadSource({ by: "SIGHUP" });
    await signals.stop;
    await Promise.race([relay.stop(), signals.stopNow]);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof Error) || !EXPECTED.some((kind) => error instanceof kind)) throw error;
    await logging.flush();
    io.err(`${error.message}\n`);
    return EXIT.failed;
  }
}

/** A bug that concerns one promise must not end the work of all others. */
function defectEvent(cause: unknown): RelayEvent {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `Internal error, please report it: ${reason}`;
  return { type: "trouble", level: "error", component: "relay", message, cause };
}

function warningEvent(warning: Warning): RelayEvent {
  const message = formatWarning(warning);
  return { type: "trouble", level: "warning", component: "config", message };
}

function startLogging(io: CliIo, { level, format }: LogConfig): Logging {
  const isText = format === "text" || format === "auto" && io.terminal.stdout;
  return configureLogging({
    level,
    format: isText ? "text" : "json",
    colors: hasColors(io, "stdout"),
    write: (bytes) => io.log(bytes),
    clock: systemClock,
  });
}

/** What the process is told from outside. Reloads run one after the other. */
class Signals implements Disposable {
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly stop: Promise<void>;
  /** Resolves at the second. */
  readonly stopNow: Promise<void>;
  /** Called at SIGHUP, once the relay runs. */
  onReload: () => Promise<unknown> = () => Promise.resolve();
  readonly #ignore: () => void;
  readonly #onError: (error: unknown) => void;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(io: CliIo, { onError }: { onError: (error: unknown) => void }) {
    this.#onError = onError;
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    this.stop = first.promise;
    this.stopNow = second.promise;
    let stops = 0;
    this.#ignore = io.onSignal(["SIGTERM", "SIGINT", "SIGHUP"], (signal) => {
      if (signal === "SIGHUP") this.#reload();
      else (++stops === 1 ? first : second).resolve();
    });
  }

  /** A reload that fails keeps no later one from happening. */
  #reload(): void {
    const reloading = this.#reloading.then(() => this.onReload());
    this.#reloading = reloading.catch(this.#onError);
  }

  [Symbol.dispose](): void {
    this.#ignore();
  }
}
