import type { Config } from "../../config/schema.ts";
import { isTable } from "../../config/references.ts";
import { networkPlaces } from "./network.ts";

/** A configuration and where it came from. */
export interface LoadedFacts {
  readonly config: Config;
  readonly effective: Readonly<Record<string, unknown>>;
  /** Path of the config file, as the relay is told it. */
  readonly file: string;
  /** The folder of the program, whose worker the runtime reads; null for an executable. */
  readonly program: string | null;
}

/** What a garbage collection may leave; see "Permissions" in docs/commands.md. */
const V8_FLAGS = "--v8-flags=--max-semi-space-size=8";
const SYSTEM_FILES = ["/etc/resolv.conf", "/etc/hosts"];
const VARIABLES = ["NO_COLOR", "TERM", "OTEL_DENO"];

/**
 * The flags that `deno run` needs for the relay with this config, and no more: the places it
 * listens at and connects to, where they can be named, its own folder, the files and variables
 * that the config names.
 */
export function permissionFlags(facts: LoadedFacts): string[] {
  const places = networkPlaces(facts.config);
  return [
    ...["--no-prompt", V8_FLAGS],
    places === null ? "--allow-net" : `--allow-net=${places.join(",")}`,
    `--allow-read=${readPaths(facts).join(",")}`,
    `--allow-write=${writtenPaths(facts.config).join(",")}`,
    `--allow-env=${[...VARIABLES, ...referenced(facts.effective, "env")].join(",")}`,
    "--allow-sys=hostname,statfs",
  ];
}

function readPaths({ config, effective, file, program }: LoadedFacts): string[] {
  const { tls: { certificates, clientCaFile }, auth: { usersFile } } = config;
  const paths = [
    ...program === null ? [] : [program],
    ...[file, ...writtenPaths(config), ...SYSTEM_FILES],
    ...certificates.flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile]),
    ...[clientCaFile, usersFile].filter((path) => path !== null),
    ...referenced(effective, "file"),
  ];
  return [...new Set(paths)];
}

function writtenPaths({ dataDir, admin: { enabled, socket }, transports }: Config): string[] {
  const sockets = Object.values(transports).flatMap((transport) =>
    transport.type !== "lmtp"
      ? []
      : transport.servers.flatMap((server) => "path" in server ? [server.path] : [])
  );
  return [dataDir, ...enabled && socket !== null ? [socket] : [], ...sockets];
}

/** What the references of a config lead to: names of variables or paths of files. */
function referenced(value: unknown, kind: "env" | "file"): string[] {
  if (Array.isArray(value)) return value.flatMap((part) => referenced(part, kind));
  if (!isTable(value)) return [];
  const target = value[kind];
  if (typeof target === "string" && Object.keys(value).length === 1) return [target];
  return Object.values(value).flatMap((part) => referenced(part, kind));
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
