/** Next hops that count. They are the same for every contender of a run. */
import { selfSigned } from "../support/certificates.ts";
import { type CountingSink, MessageCounter } from "../support/load.ts";
import { findPeer, freePort, tempFolder, waitForPort } from "../support/peers.ts";

const PROGRAM = new URL("tls_sink.mjs", import.meta.url).pathname;

/** Starts a sink that offers STARTTLS, on Node where it is installed. */
export async function startTlsSink(): Promise<CountingSink> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const { certificate, key } = selfSigned({ names: ["sink.test"] });
  const files = { certificate: `${folder.path}/sink.crt`, key: `${folder.path}/sink.key` };
  await Deno.writeTextFile(files.certificate, certificate);
  await Deno.writeTextFile(files.key, key);
  const port = freePort();
  const node = findPeer("node");
  const before = node === null ? ["run", "--allow-net", "--allow-read", PROGRAM] : [PROGRAM];
  const child = new Deno.Command(node ?? Deno.execPath(), {
    args: [...before, String(port), files.certificate, files.key],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const counter = new MessageCounter();
  const reading = counter.read(child.stdout);
  stack.defer(async () => {
    child.kill("SIGKILL");
    await Promise.all([child.status, reading]);
  });
  await waitForPort(port);
  const owned = stack.move();
  return {
    ...{ port, pid: child.pid },
    waitForMessages: (count) => counter.reach(count),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
