import { connect, type Socket } from "node:net";
import type { Conn, Endpoint } from "./conn.ts";
import { plainAddress } from "./endpoint.ts";
import { streamConn } from "./stream_conn.ts";
import { upgradeToTls } from "./tls_upgrade.ts";

/**
 * Connects from one address of this machine. `Deno.connect` cannot choose the source address, so
 * this goes through `node:net`.
 *
 * @throws the system's error, with its `code`; a source address that is not on this machine
 * throws `EADDRNOTAVAIL`.
 */
export async function connectFrom(
  localAddress: string,
  { address, port, signal }: { address: string; port: number; signal: AbortSignal },
): Promise<Conn> {
  signal.throwIfAborted();
  const socket = connect({ host: address, port, localAddress, noDelay: true });
  await connected(socket, signal);
  const local = localOf(socket);
  return streamConn(socket, { local, remote: { address, port }, tls: null, upgradeToTls });
}

function connected(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      signal.removeEventListener("abort", onAbort);
      reject(bindFailed(error) ? addressNotAvailable(error) : error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      resolve();
    });
  });
}

/** The runtime reports a refused `bind` as `EINVAL`, whatever the system said. */
function bindFailed(error: NodeJS.ErrnoException): boolean {
  return error.syscall === "bind";
}

function addressNotAvailable(cause: NodeJS.ErrnoException): Error {
  return Object.assign(new Error(cause.message, { cause }), { code: "EADDRNOTAVAIL" });
}

function localOf(socket: Socket): Endpoint {
  return { address: plainAddress(socket.localAddress ?? ""), port: socket.localPort ?? 0 };
}
