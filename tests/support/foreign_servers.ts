/**
 * Mail servers whose packages cannot be installed beside Postfix. Their programs are taken out of
 * the packages into a folder of their own (`.ci/run` does it), and run in a mount namespace where
 * the users and folders exist that they insist on.
 */
import { findPeer, freePort, type Peer, runPeer, startPeer, waitForPort } from "./peers.ts";
import { canMount } from "./tmpfs.ts";

/** Where the packages `exim4-base`, `exim4-daemon-light` and `opensmtpd` are unpacked. */
const FOLDER = Deno.env.get("POSTHOUSE_PEERS") ?? "/opt/posthouse-peers";
const EXIM = `${FOLDER}/usr/sbin/exim4`;
const OPENSMTPD = `${FOLDER}/usr/sbin/smtpd`;

/** The users that the programs look for, with ids that no one has. */
const USERS = { "Debian-exim": 63_996, opensmtpd: 63_997, opensmtpq: 63_998 } as const;

/** Whether Exim can be run here. */
export function canRunExim(): boolean {
  return canRun(EXIM);
}

/** Whether OpenSMTPD can be run here. */
export function canRunOpenSmtpd(): boolean {
  return canRun(OPENSMTPD);
}

/** Under `CI=true` a missing program fails its test. */
function canRun(program: string): boolean {
  if (!canMount() || findPeer("unshare") === null) return false;
  return Deno.env.get("CI") === "true" || isThere(program);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What is sent, and where to. */
export interface ForeignMail {
  /** An empty folder for what the server writes. */
  readonly folder: string;
  /** The port on 127.0.0.1 that it delivers to. */
  readonly nextHopPort: number;
}

/** Hands a message with LF as line end to Exim, which delivers it before this resolves. */
export async function sendWithExim(
  { folder, nextHopPort, message }: ForeignMail & { message: string },
): Promise<void> {
  await Deno.mkdir(`${folder}/spool`);
  await Deno.writeTextFile(`${folder}/exim.conf`, eximConfig({ folder, nextHopPort }));
  const owner = USERS["Debian-exim"]; // it does not stay root
  for (const path of [folder, `${folder}/spool`]) await Deno.chown(path, owner, owner);
  const command = `${EXIM} -C ${folder}/exim.conf -odf -i -f sender@source.test user@sink.test`;
  const args = await ownSystem(folder, [], command);
  const { code, stdout, stderr } = await runPeer("unshare", { args, stdin: message });
  if (code !== 0) throw new Error(`exim: status ${code}: ${stdout}${stderr}`);
}

function eximConfig({ folder, nextHopPort }: ForeignMail): string {
  return [
    ...[`exim_path = ${EXIM}`, "never_users =", "keep_environment ="],
    ...[`spool_directory = ${folder}/spool`, `log_file_path = ${folder}/%slog`],
    ...["primary_hostname = exim.test", "begin routers", "out:", "driver = manualroute"],
    ...["route_list = * 127.0.0.1", "self = send", "transport = out", "begin transports"],
    ...["out:", "driver = smtp", `port = ${nextHopPort}`, "hosts_try_chunking = *"],
    ...["tls_try_verify_hosts =", "begin retry", "* * F,1h,1s", ""],
  ].join("\n");
}

/** A running OpenSMTPD. */
export interface OpenSmtpd extends AsyncDisposable {
  /** The port of its SMTP server on 127.0.0.1. */
  readonly port: number;
}

/** Starts an OpenSMTPD that sends everything on to the next hop. */
export async function startOpenSmtpd({ folder, nextHopPort }: ForeignMail): Promise<OpenSmtpd> {
  const port = freePort();
  const config = [
    `listen on 127.0.0.1 port ${port}`,
    `action out relay host smtp://127.0.0.1:${nextHopPort}`,
    "match from any for any action out",
    "",
  ].join("\n");
  await Deno.writeTextFile(`${folder}/smtpd.conf`, config);
  const folders = ["/var/lib/opensmtpd/empty", "/var/spool/smtpd"];
  const args = await ownSystem(folder, folders, `${OPENSMTPD} -d -f ${folder}/smtpd.conf`);
  const peer: Peer = startPeer("unshare", { args });
  try {
    await waitForPort(port);
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      peer.kill("SIGTERM"); // its other processes end with it
      await peer.ended;
    },
  };
}

/** Arguments of `unshare` that run a command where the users and these folders exist. */
async function ownSystem(
  folder: string,
  folders: readonly string[],
  command: string,
): Promise<string[]> {
  const users = Object.entries(USERS);
  const passwd = users.map(([name, id]) => `${name}:x:${id}:${id}::/:/bin/false\n`).join("");
  const group = users.map(([name, id]) => `${name}:x:${id}:\n`).join("");
  await Deno.writeTextFile(`${folder}/passwd`, await Deno.readTextFile("/etc/passwd") + passwd);
  await Deno.writeTextFile(`${folder}/group`, await Deno.readTextFile("/etc/group") + group);
  const script = [
    "set -e",
    ...["passwd", "group"].map((name) => `mount --bind ${folder}/${name} /etc/${name}`),
    ...folders.length === 0 ? [] : ["/var/spool", "/var/lib", "/run"]
      .map((path) => `mount -t tmpfs tmpfs ${path}`),
    ...folders.map((path) => `mkdir -p ${path} && chmod 711 ${path}`),
    `exec ${command}`,
  ];
  return ["--mount", "sh", "-c", script.join("\n")];
}
