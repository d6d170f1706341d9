/** A real Postfix of the test's own: configuration, queue, log and port apart from the system's. */
import {
  freePort,
  havePeer,
  isExecutable,
  type PeerResult,
  runPeer,
  tempFolder,
  waitForPort,
} from "./peers.ts";

/** A running Postfix. Disposing of it stops it and removes its folder. */
export interface Postfix extends AsyncDisposable {
  /** The port of its SMTP server on 127.0.0.1. */
  readonly port: number;
  /** The process id of its master; every other process of it is a descendant. */
  readonly masterPid: number;
  /** What it logged so far. */
  log(): Promise<string>;
}

/** What a test may choose; everything else is as Debian installs it, durability above all. */
export interface PostfixOptions {
  /** The port on 127.0.0.1 that all mail is sent on to. */
  readonly nextHopPort: number;
  /** More lines of main.cf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** IP address of the one name server that it asks, at port 53; that of the system otherwise. */
  readonly nameServer?: string;
}

/** Where systems put the program that starts all others. */
const MASTERS = ["/usr/lib/postfix/sbin/master", "/usr/libexec/postfix/master"];

/** The folders of its queue that it does not make. */
const QUEUE_FOLDERS = [
  ...["active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"],
  ...["maildrop", "private", "public", "saved", "trace"],
];

/** Whether Postfix can be run here: it must be installed, and its master wants to be root. */
export function canRunPostfix(): boolean {
  return havePeer("postfix") && Deno.uid() === 0;
}

/** Starts a Postfix that accepts mail from loopback and sends all of it to the next hop. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const port = freePort();
  const folder = await tempFolder();
  const config = `${folder.path}/etc`;
  try {
    await writeConfig({ path: folder.path, port, options });
    await startMaster(folder.path, options);
    await waitForPort(port);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  const pidFile = await Deno.readTextFile(`${folder.path}/queue/pid/master.pid`);
  return {
    port,
    masterPid: Number(pidFile.trim()),
    log: () => Deno.readTextFile(`${folder.path}/log`),
    [Symbol.asyncDispose]: async () => {
      await stopMaster(config);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function writeConfig(
  { path, port, options }: { path: string; port: number; options: PostfixOptions },
): Promise<void> {
  await Deno.chmod(path, 0o755); // its unprivileged processes pass through
  for (const name of ["etc", "queue", "queue/pid", "data"]) await Deno.mkdir(`${path}/${name}`);
  for (const name of QUEUE_FOLDERS) await Deno.mkdir(`${path}/queue/${name}`, { mode: 0o700 });
  const own = QUEUE_FOLDERS.map((name) => `${path}/queue/${name}`);
  check(await runPeer("chown", { args: ["postfix", `${path}/data`, ...own] }), "set-up");
  await Deno.writeTextFile(`${path}/etc/main.cf`, mainConfig({ path, options }));
  // It reads a file that changed a moment ago again and again.
  await Deno.utime(`${path}/etc/main.cf`, 1, 1);
  const services = await Deno.readTextFile("/etc/postfix/master.cf");
  await Deno.writeTextFile(
    `${path}/etc/master.cf`,
    services.replace(/^smtp +inet /m, `127.0.0.1:${port} inet `)
      .replaceAll(/^(\S+\s+\S+\s+\S+\s+\S+\s+)y(\s)/gm, "$1n$2"), // no chroot below a new folder
  );
}

function mainConfig({ path, options }: { path: string; options: PostfixOptions }): string {
  const settings = {
    compatibility_level: "3.6",
    queue_directory: `${path}/queue`,
    data_directory: `${path}/data`,
    maillog_file: `${path}/log`,
    maillog_file_prefixes: path,
    myhostname: "postfix.test",
    mydestination: "",
    inet_interfaces: "loopback-only",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    alias_maps: "",
    local_recipient_maps: "",
    relayhost: `[127.0.0.1]:${options.nextHopPort}`,
    ...options.settings,
  };
  return Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`).join("");
}

/**
 * Starts its master as `postfix start` does when it has checked the installation, which takes two
 * seconds. With a name server, `/etc/resolv.conf` is another one for it and its children alone.
 */
async function startMaster(folder: string, { nameServer }: PostfixOptions): Promise<void> {
  const master = MASTERS.find(isExecutable) ?? "master";
  const args = ["-w", "-c", `${folder}/etc`];
  if (nameServer === undefined) return check(await runPeer(master, { args }), "start");
  const file = `${folder}/resolv.conf`;
  await Deno.writeTextFile(file, `nameserver ${nameServer}\n`);
  const script = `mount --bind ${file} /etc/resolv.conf && exec ${master} ${args.join(" ")}`;
  check(await runPeer("unshare", { args: ["--mount", "sh", "-c", script] }), "start");
}

async function stopMaster(config: string): Promise<void> {
  check(await runPeer("postfix", { args: ["-c", config, "stop"] }), "stop");
}

function check(result: PeerResult, action: string): void {
  if (result.code !== 0) {
    throw new Error(`postfix ${action}: status ${result.code}: ${result.stdout}${result.stderr}`);
  }
}
