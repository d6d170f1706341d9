import {
  findPeer,
  freePort,
  runPeer,
  startPeer,
  tempFolder,
  waitForPort,
} from "../../support/peers.ts";
import type { Contender, Setup } from "../contender.ts";

/** The release that is measured. */
const HARAKA = "Haraka@3.3.4";

/** Relays for everybody and sends everything to one port; a queue for each domain stays. */
const pluginFor = ({ nextHopPort }: Setup): string => `
exports.register = function () {
  this.register_hook("connect", "relay");
  this.register_hook("rcpt", "accept");
  this.register_hook("get_mx", "exchanger");
};
exports.relay = (next, connection) => { connection.relaying = true; next(); };
exports.accept = (next) => next(OK);
exports.exchanger = (next, hmail, domain) =>
  next(OK, { priority: 0, exchange: "127.0.0.1", port: ${nextHopPort} });
`;

/**
 * Haraka with its defaults: one process, and a queue of files that are written but not synced, so
 * its 250 promises less than those of the others.
 *
 * @param program the path of its `bin/haraka`, see `installHaraka`
 */
export function haraka(program: string): Contender {
  return {
    name: "haraka",
    messages: 3000,
    idleSessions: 1000,
    can: ({ signing }) => signing === undefined,
    start: async (setup) => {
      await using stack = new AsyncDisposableStack();
      const folder = stack.use(await tempFolder());
      const port = freePort();
      const path = `${folder.path}/haraka`;
      await runPeer("node", { args: [program, "-i", path] });
      await configure(path, { setup, port });
      const peer = stack.use(startPeer("setsid", { args: ["node", program, "-c", path] }));
      await waitForPort(port);
      const owned = stack.move();
      return {
        ...{ port, pids: [peer.pid] },
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  };
}

/** Changes what its own installation wrote. */
async function configure(
  folder: string,
  { setup, port }: { setup: Setup; port: number },
): Promise<void> {
  await Deno.mkdir(`${folder}/queue`);
  const files = {
    "config/me": "haraka.test\n",
    "config/plugins": "bench\n",
    "config/smtp.ini": `listen=127.0.0.1:${port}\nnodes=0\n`,
    "config/outbound.ini": `local_mx_ok=true\nenable_tls=${setup.tls === true}\n`,
    "config/log.ini": "level=error\n",
    "plugins/bench.js": pluginFor(setup),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
}

/** A Haraka that npm installed for this run. Disposing of it removes it. */
export interface InstalledHaraka extends AsyncDisposable {
  readonly program: string;
}

/** Installs Haraka into a folder of its own; null where npm is missing or cannot. */
export async function installHaraka(): Promise<InstalledHaraka | null> {
  if (findPeer("npm") === null || findPeer("node") === null) return null;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const args = ["install", "--no-audit", "--no-fund", "--omit=dev", "--ignore-scripts", HARAKA];
  const { code } = await runPeer("npm", { args, cwd: folder.path });
  if (code !== 0) return null;
  const owned = stack.move();
  return {
    program: `${folder.path}/node_modules/Haraka/bin/haraka`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
