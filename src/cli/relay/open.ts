import { LOCAL_KEY_FILE } from "../../admin/guard/local_key.ts";
import { type AdminClient, adminClient } from "../../admin/client.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { AdminConfig } from "../../config/sections/admin.ts";
import { CONFIG_FLAG, type Flag, type Invocation } from "../command.ts";
import { configOrProblems } from "../configuration.ts";
import { type CliIo, EXIT, type ExitCode } from "../io.ts";
import { RelayError } from "./ask.ts";

/** The flags that say which running relay is meant, and who asks. */
export const RELAY_FLAGS: readonly Flag[] = [
  CONFIG_FLAG,
  {
    name: "url",
    kind: "text",
    value: "URL",
    help: "URL of the admin API. Default: POSTHOUSE_URL, or the config.",
  },
  {
    name: "token",
    kind: "text",
    value: "TOKEN",
    help: "API key. Default: POSTHOUSE_TOKEN, or the key that the relay wrote to its data_dir.",
  },
];

/** Where a relay's admin API is. */
interface Place {
  readonly origin: string;
  /** Unix socket to reach it by. */
  readonly socket: string | null;
  /** The data folder, where the config says where it is. */
  readonly dataDir: string | null;
}

/** Calls `use` with a client of the running relay. Trouble with it is reported in one line. */
export async function withRelay(
  invocation: Invocation,
  use: (client: AdminClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { io, flags } = invocation;
  const place = await findRelay(invocation);
  if (place === null) return EXIT.usage;
  const key = flags.text("token") ?? io.env("POSTHOUSE_TOKEN") ?? await localKey(io, place);
  using http = place.socket === null ? null : socketClient(place.socket);
  const client = adminClient(place.origin, {
    ...(key === undefined || key === "" ? {} : { key }),
    ...(http === null ? {} : {
      fetch: (input, init) => fetch(input, { ...init, client: http }),
    }),
  });
  try {
    return await use(client);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const where = place.socket ?? place.origin;
    io.err(
      error.kind === "unreachable"
        ? `Cannot reach the relay at ${where}: ${error.message}. Check that it runs, or name ` +
          "another URL with --url.\n"
        : `The relay at ${where} refused the request: ${error.message}.\n`,
    );
    return EXIT.failed;
  }
}

/** The key of a relay on this machine, for anyone who can read its data folder. */
async function localKey(io: CliIo, { dataDir }: Place): Promise<string | undefined> {
  if (dataDir === null) return undefined;
  try {
    return (await io.readTextFile(`${dataDir}/${LOCAL_KEY_FILE}`)).trim();
  } catch {
    return undefined; // the relay says what is needed
  }
}

/** Where the relay is; null when the config cannot tell, which was written then. */
async function findRelay({ io, flags }: Invocation): Promise<Place | null> {
  const url = flags.text("url") ?? io.env("POSTHOUSE_URL");
  if (url !== undefined && url !== "") {
    const origin = URL.parse(url);
    if (origin !== null && /^https?:$/.test(origin.protocol)) {
      return { origin: origin.origin, socket: null, dataDir: null };
    }
    io.err(`Cannot use --url: expected an address such as http://127.0.0.1:8025, got ${url}.\n`);
    return null;
  }
  const config = await configOrProblems(io, flags, ["data_dir", "admin"]);
  if (config === null) return null;
  const obstacle = obstacleOf(config.admin);
  if (obstacle !== null) {
    io.err(`${obstacle}\n`);
    return null;
  }
  return { ...placeOf(config.admin), dataDir: config.dataDir };
}

function obstacleOf({ enabled, port, socket }: AdminConfig): string | null {
  if (!enabled) return "The config disables the admin API (admin.enabled = false).";
  if (socket !== null || port !== 0) return null;
  return "The admin API has a port chosen by the system (admin.port = 0); name it with --url.";
}

function placeOf({ address, port, socket }: AdminConfig): Omit<Place, "dataDir"> {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address] ?? address;
  return {
    origin: socket === null
      ? `http://${formatEndpoint({ address: reachable, port })}`
      : "http://localhost",
    socket,
  };
}

function socketClient(path: string): Deno.HttpClient {
  return Deno.createHttpClient({ proxy: { transport: "unix", path } });
}
