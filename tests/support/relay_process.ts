/** The relay as its users run it: a process of its own, with the permissions of `deno task serve`. */
import manifest from "../../deno.json" with { type: "json" };
import { freePort, type Peer, type PeerResult, startPeer, waitForPort } from "./peers.ts";

/** The bundle that the test task made, which starts faster, else the sources. */
const MAIN = Deno.env.get("POSTHOUSE_PROGRAM") ??
  new URL("../../src/main.ts", import.meta.url).pathname;
const PROJECT = new URL("../../deno.json", import.meta.url).pathname;

/** How a relay of a test is set up. */
export interface RelayOptions {
  /** The folder that holds its config file and its data; it outlives the process. */
  readonly folder: string;
  /** Where its queue stands, if not in that folder. */
  readonly dataFolder?: string;
  /** The port on 127.0.0.1 that all mail goes to; without it, the config names no transport. */
  readonly nextHopPort?: number;
  /** More tables of the config file, as TOML. There is no admin API without an `[admin]`. */
  readonly settings?: string;
  /** Where it listens on 127.0.0.1; the system chooses where not given. */
  readonly port?: number;
  /** More keys of the listener, as TOML lines. */
  readonly listener?: string;
  /** What to run: an executable, or the path of a script ending in `.ts` or `.js`. */
  readonly program?: string;
  /** How many files it may open (`ulimit -n`); as many as this process where not given. */
  readonly openFiles?: number;
  /** Its output goes to the file `log` in the folder, as a service's does, and is not seen here. */
  readonly logToFile?: boolean;
  /** Only with `logToFile`: it gets a session of its own, as a daemon has (setsid(2)). */
  readonly ownSession?: boolean;
}

/** A running relay. Disposing of it kills it. */
export interface RelayProcess extends AsyncDisposable {
  readonly pid: number;
  /** Where it accepts SMTP on 127.0.0.1. */
  readonly port: number;
  readonly ended: Promise<PeerResult>;
  /** Resolves when an event of this type was logged; `count` times, if given. */
  waitForEvent(type: string, count?: number): Promise<void>;
  /** Resolves when what it wrote matches. */
  waitForOutput(pattern: RegExp): Promise<void>;
  /** Everything it wrote so far. */
  output(): string;
  signal(name: Deno.Signal): void;
  /** Ends it as a service manager does, and waits. */
  stop(): Promise<PeerResult>;
  /** Ends it as a power cut does, and waits. */
  crash(): Promise<void>;
}

/** Flags that `deno task serve` gives to `deno run`. */
export const PERMISSIONS: readonly string[] = manifest.tasks.serve.command.split(" ")
  .filter((word) => /^--(allow|unstable|v8-flags)/.test(word));

/** Starts any `posthouse` command. */
export function startPosthouse(
  args: readonly string[],
  { cwd, stdin, program = MAIN, openFiles }: {
    cwd: string;
    stdin?: string;
    program?: string;
    openFiles?: number | undefined;
  },
): Peer {
  const limit = openFiles === undefined
    ? []
    : ["sh", "-c", `ulimit -n "$0"; exec "$@"`, String(openFiles)];
  const [command = "", ...before] = [...limit, ...commandLine(program)];
  return startPeer(command, {
    args: [...before, ...args],
    cwd,
    ...(stdin === undefined ? {} : { stdin }),
  });
}

/** Starts `posthouse serve` and waits until it accepts connections. */
export async function startRelay(options: RelayOptions): Promise<RelayProcess> {
  const configPath = `${options.folder}/posthouse.toml`;
  const fixedPort = options.logToFile === true ? freePort() : undefined;
  const port = fixedPort === undefined ? {} : { port: fixedPort };
  await Deno.writeTextFile(configPath, relayConfig({ ...options, ...port }));
  const args = ["serve", "--config", configPath];
  const peer = fixedPort === undefined
    ? startPosthouse(args, {
      ...{ cwd: options.folder, program: options.program ?? MAIN },
      openFiles: options.openFiles,
    })
    : startLogging({ args, folder: options.folder, ownSession: options.ownSession ?? false });
  try {
    if (fixedPort !== undefined) await waitForPort(fixedPort);
    return new RunningRelay({ peer, port: fixedPort ?? await listeningPort(peer) });
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
}

/** The config file of a relay, for tests that start the process themselves. */
export function relayConfig(options: RelayOptions): string {
  return [
    `hostname = "relay.test"`,
    `data_dir = "${options.dataFolder ?? `${options.folder}/data`}"`,
    `[[listeners]]`,
    `name = "smtp"`,
    `address = "127.0.0.1"`,
    `port = ${options.port ?? 0}`,
    options.listener ?? "",
    ...options.nextHopPort === undefined ? [] : [
      `[transports.out]`,
      `type = "smarthost"`,
      `hosts = ["127.0.0.1:${options.nextHopPort}"]`,
    ],
    options.settings ?? "",
    options.settings?.includes("[admin]") ? "" : "[admin]\nenabled = false",
    "",
  ].join("\n");
}

class RunningRelay implements RelayProcess {
  readonly pid: number;
  readonly ended: Promise<PeerResult>;
  readonly port: number;
  readonly #peer: Peer;

  constructor({ peer, port }: { peer: Peer; port: number }) {
    this.#peer = peer;
    this.pid = peer.pid;
    this.ended = peer.ended;
    this.port = port;
  }

  async waitForEvent(type: string, count = 1): Promise<void> {
    await this.waitForOutput(new RegExp(`(?:"type":"${type}"[^]*){${count}}`));
  }

  async waitForOutput(pattern: RegExp): Promise<void> {
    await this.#peer.waitForOutput(pattern);
  }

  output(): string {
    const { stdout, stderr } = this.#peer.output();
    return stdout + stderr;
  }

  signal(name: Deno.Signal): void {
    this.#peer.kill(name);
  }

  async stop(): Promise<PeerResult> {
    this.#peer.kill("SIGTERM");
    return await this.ended;
  }

  async crash(): Promise<void> {
    this.#peer.kill("SIGKILL");
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
  }
}

/** How to start a program; scripts run with the permissions of the serve task. */
function commandLine(program: string): string[] {
  if (!/\.[jt]s$/.test(program)) return [program];
  const flags = ["--quiet", "--no-prompt", `--config=${PROJECT}`, ...PERMISSIONS];
  return [Deno.execPath(), "run", ...flags, program];
}

/** The event that tells which port the system chose. */
const LISTENING = /"address":"127\.0\.0\.1:(\d+)"/;

async function listeningPort(peer: Peer): Promise<number> {
  return Number((await peer.waitForOutput(LISTENING))[1]);
}

/** Its output to a file instead of a pipe that somebody must read. */
function startLogging(
  { args, folder, ownSession }: { args: readonly string[]; folder: string; ownSession: boolean },
): Peer {
  const script = `log=$1; shift; exec ${ownSession ? "setsid " : ""}"$@" >>"$log" 2>&1`;
  return startPeer("sh", {
    args: ["-c", script, "sh", `${folder}/log`, ...commandLine(MAIN), ...args],
    cwd: folder,
  });
}
