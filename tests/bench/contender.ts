/** The mail servers that are measured side by side. */
import { canRunPostfix, startPostfix } from "../support/postfix.ts";
import { tempFolder } from "../support/peers.ts";
import { startRelay } from "../support/relay_process.ts";

/** A server under measurement. */
export interface RunningServer extends AsyncDisposable {
  /** Where it accepts SMTP on 127.0.0.1. */
  readonly port: number;
  /** The process whose tree is measured. */
  readonly pid: number;
}

/** A kind of server, and how much of it fits into a short run. */
export interface Contender {
  readonly name: string;
  /** Messages of a throughput run: some seconds' worth. */
  readonly messages: number;
  /** Sessions it can hold open with its default limits. */
  readonly idleSessions: number;
  /** Starts one with an empty queue that sends everything to a port of 127.0.0.1. */
  start(options: { nextHopPort: number }): Promise<RunningServer>;
}

const posthouse: Contender = {
  name: "posthouse",
  messages: 20_000,
  idleSessions: 5000,
  start: async ({ nextHopPort }) => {
    const folder = await tempFolder();
    const relay = await startRelay({
      folder: folder.path,
      nextHopPort,
      listener: "max_connections = 10000\nmax_connections_per_address = 10000",
      settings: `[limits]\nmessage_size = "200MiB"`,
      logToFile: true,
    });
    return {
      port: relay.port,
      pid: relay.pid,
      [Symbol.asyncDispose]: async () => {
        await relay[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  },
};

/** Durability, process limits and concurrency as Debian installs it; 100 processes of a kind. */
const postfix: Contender = {
  name: "postfix",
  messages: 3000,
  idleSessions: 90,
  start: async ({ nextHopPort }) => {
    const settings = { message_size_limit: String(200 * 1024 * 1024) };
    const server = await startPostfix({ nextHopPort, settings });
    return {
      port: server.port,
      pid: server.masterPid,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** Those that can run here. */
export function contenders(): Contender[] {
  return canRunPostfix() ? [posthouse, postfix] : [posthouse];
}
