import type { Config } from "../../config/schema.ts";

/**
 * The flags that `deno run` needs for the relay with this config. It writes its own folder and the
 * admin API's socket alone. Names of hosts, `mx` and the DNS lead to any address, and referenced
 * files may stand anywhere, so connections and reading are not narrowed.
 */
export function permissionFlags({ dataDir, admin: { enabled, socket } }: Config): string[] {
  const written = [dataDir, ...enabled && socket !== null ? [socket] : []];
  return [
    "--allow-net",
    "--allow-read",
    `--allow-write=${written.join(",")}`,
    "--allow-env",
    "--allow-sys=hostname,statfs",
  ];
}

/** The TCP ports that this config listens on for others, in order. */
export function listenedPorts({ listeners, admin, providerEvents }: Config): number[] {
  const ports = [
    ...listeners.map(({ port }) => port),
    ...admin.enabled && admin.socket === null ? [admin.port] : [],
    ...providerEvents.sources.length > 0 ? [providerEvents.port] : [],
  ];
  return [...new Set(ports)].filter((port) => port !== 0);
}
