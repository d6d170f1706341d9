/** Proxies that others wrote: microsocks for SOCKS5, tinyproxy for HTTP. */
import { freePort, type Peer, startPeer, tempFolder, waitForPort } from "./peers.ts";

/** A proxy that runs. Disposing of it stops it. */
export interface RealProxy extends AsyncDisposable {
  readonly port: number;
  /** What it wrote of the connections so far. */
  output(): string;
}

/** Whom a proxy serves. */
export interface ProxyUser {
  readonly username: string;
  readonly password: string;
}

/** Starts microsocks on loopback. */
export async function startMicrosocks({ username, password }: ProxyUser): Promise<RealProxy> {
  const port = freePort();
  const peer = startPeer("microsocks", {
    args: ["-i", "127.0.0.1", "-p", String(port), "-u", username, "-P", password],
  });
  await untilItListens(peer, port);
  return running(peer, { port });
}

/** Starts tinyproxy on loopback, which lets its user connect to every port. */
export async function startTinyproxy({ username, password }: ProxyUser): Promise<RealProxy> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const port = freePort();
  const config = [
    `Listen 127.0.0.1`,
    `Port ${port}`,
    `Timeout 60`,
    `BasicAuth ${username} ${password}`,
    `LogLevel Connect`,
    ``,
  ];
  const path = `${folder.path}/tinyproxy.conf`;
  await Deno.writeTextFile(path, config.join("\n"));
  const peer = stack.use(startPeer("tinyproxy", { args: ["-d", "-c", path] }));
  await untilItListens(peer, port);
  const owned = stack.move();
  return { ...running(peer, { port }), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function untilItListens(peer: Peer, port: number): Promise<void> {
  await Promise.race([
    waitForPort(port),
    peer.ended.then(({ stdout, stderr }) => Promise.reject(new Error(stdout + stderr))),
  ]);
}

function running(peer: Peer, { port }: { port: number }): RealProxy {
  return {
    port,
    output() {
      const { stdout, stderr } = peer.output();
      return stdout + stderr;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
