/**
 * Exim and OpenSMTPD of the test's own. As packages they exclude each other and Postfix, so they
 * are unpacked below the folder that `POSTHOUSE_PEERS` names and run in a mount namespace, where
 * the users and folders that are built into them exist. That takes root.
 */
import {
  freePort,
  type Peer,
  startPeer,
  type TempFolder,
  tempFolder,
  waitForPort,
} from "./peers.ts";

const PROGRAMS = { exim: "usr/sbin/exim4", opensmtpd: "usr/sbin/smtpd" } as const;
export type UnpackedPeer = keyof typeof PROGRAMS;

/** A mail server that sends everything on to the next hop. Disposing of it stops it. */
export interface UnpackedServer extends AsyncDisposable {
  /** The port of its SMTP server on 127.0.0.1. */
  readonly port: number;
  /** What it wrote so far. */
  output(): string;
}

/** What a test may choose. */
export interface UnpackedOptions {
  /** The port on 127.0.0.1 that all mail is sent on to. */
  readonly nextHopPort: number;
  /** Offers STARTTLS with this certificate; both PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

/** Whether the server can be run here; under `CI=true` only being root matters. */
export function canRunUnpacked(name: UnpackedPeer): boolean {
  if (Deno.uid() !== 0) return false;
  return Deno.env.get("CI") === "true" || programPath(name) !== null;
}

/** Starts a server that accepts mail for anybody. */
export async function startUnpacked(
  name: UnpackedPeer,
  options: UnpackedOptions,
): Promise<UnpackedServer> {
  const program = programPath(name);
  if (program === null) throw new Error(`${name} is not below POSTHOUSE_PEERS`);
  const folder = await tempFolder();
  const port = freePort();
  let peer: Peer | null = null;
  try {
    const write = name === "exim" ? writeExim : writeOpenSmtpd;
    const script = await write({ folder: folder.path, program, port, options });
    await Deno.writeTextFile(`${folder.path}/run.sh`, script);
    peer = startPeer("unshare", { args: ["--mount", "sh", "-e", `${folder.path}/run.sh`] });
    await untilItListens(peer, port);
    return running(peer, { folder, port });
  } catch (error) {
    await peer?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function untilItListens(peer: Peer, port: number): Promise<void> {
  await Promise.race([
    waitForPort(port),
    peer.ended.then(({ stdout, stderr }) => Promise.reject(new Error(stdout + stderr))),
  ]);
}

function running(
  peer: Peer,
  { folder, port }: { folder: TempFolder; port: number },
): UnpackedServer {
  return {
    port,
    output() {
      const { stdout, stderr } = peer.output();
      return stdout + stderr;
    },
    async [Symbol.asyncDispose]() {
      peer.kill("SIGTERM"); // its children go with it
      await peer.ended;
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Setting {
  readonly folder: string;
  readonly program: string;
  readonly port: number;
  readonly options: UnpackedOptions;
}

/** A number that belongs to nobody; each server gets some from here on. */
const FIRST_UID = 65_400;

async function writeExim({ folder, program, port, options }: Setting): Promise<string> {
  await writeCertificate(folder, options);
  const tls = options.tls === undefined ? [`tls_advertise_hosts =`] : [
    `tls_advertise_hosts = *`,
    `tls_certificate = ${folder}/tls.pem`,
    `tls_privatekey = ${folder}/tls.key`,
  ];
  const config = [
    `exim_path = ${program}`,
    `spool_directory = ${folder}/spool`,
    `log_file_path = ${folder}/spool/%slog`,
    `pid_file_path = ${folder}/spool/exim.pid`,
    `keep_environment =`,
    `primary_hostname = exim.test`,
    `local_interfaces = 127.0.0.1`,
    `daemon_smtp_ports = ${port}`,
    ...tls,
    `accept_8bitmime = true`,
    `acl_smtp_rcpt = accept`,
    `acl_smtp_data = accept`,
    `begin routers`,
    `on:\n driver = manualroute\n transport = remote\n route_data = 127.0.0.1\n self = send`,
    `begin transports`,
    `remote:\n driver = smtp\n port = ${options.nextHopPort}\n allow_localhost`,
    ` hosts_try_chunking =\n tls_tempfail_tryclear = true`,
    ``,
  ];
  await Deno.writeTextFile(`${folder}/exim.conf`, config.join("\n"));
  return [
    ...withUsers(folder, ["Debian-exim"]),
    `mkdir ${folder}/spool`,
    `chown -R Debian-exim:Debian-exim ${folder}/spool`,
    // it reads its key as itself
    ...options.tls === undefined ? [] : [`chown Debian-exim ${folder}/tls.key`],
    `chmod 755 ${folder}`,
    `exec ${program} -C ${folder}/exim.conf -bdf -q1m`,
  ].join("\n");
}

async function writeOpenSmtpd({ folder, program, port, options }: Setting): Promise<string> {
  await writeCertificate(folder, options);
  const pki = options.tls === undefined ? [] : [
    `pki test cert "${folder}/tls.pem"`,
    `pki test key "${folder}/tls.key"`,
  ];
  const secured = options.tls === undefined ? "" : " tls pki test";
  await Deno.writeTextFile(
    `${folder}/smtpd.conf`,
    [
      ...pki,
      `listen on 127.0.0.1 port ${port}${secured} hostname opensmtpd.test`,
      `action "on" relay host smtp://127.0.0.1:${options.nextHopPort}`,
      `match from any for any action "on"`,
      ``,
    ].join("\n"),
  );
  const helpers = program.replace("sbin/smtpd", "libexec/opensmtpd");
  return [
    ...withUsers(folder, ["opensmtpd", "opensmtpq"]),
    `cp -r ${helpers} ${folder}/libexec`,
    ...["/var/lib", "/var/spool", "/run", "/usr/libexec"].map((place) =>
      `mount -t tmpfs tmpfs ${place}`
    ),
    `mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd /usr/libexec/opensmtpd`,
    `cp ${folder}/libexec/* /usr/libexec/opensmtpd/`,
    `chmod 711 /var/spool/smtpd`,
    `exec ${program} -d -f ${folder}/smtpd.conf`,
  ].join("\n");
}

/** The lines that give the namespace the users of a package that is not installed. */
function withUsers(folder: string, users: readonly string[]): string[] {
  const lines = users.flatMap((user, index) => {
    const id = FIRST_UID + index;
    return [
      `echo "${user}:x:${id}:${id}::/var/lib/opensmtpd/empty:/usr/sbin/nologin" >>${folder}/passwd`,
      `echo "${user}:x:${id}:" >>${folder}/group`,
    ];
  });
  return [
    `cp /etc/passwd /etc/group ${folder}/`,
    ...lines,
    `mount --bind ${folder}/passwd /etc/passwd`,
    `mount --bind ${folder}/group /etc/group`,
  ];
}

async function writeCertificate(folder: string, { tls }: UnpackedOptions): Promise<void> {
  if (tls === undefined) return;
  await Deno.writeTextFile(`${folder}/tls.pem`, tls.certificate);
  await Deno.writeTextFile(`${folder}/tls.key`, tls.key, { mode: 0o600 });
}

function programPath(name: UnpackedPeer): string | null {
  const folder = Deno.env.get("POSTHOUSE_PEERS");
  if (folder === undefined || folder === "") return null;
  const path = `${folder}/${PROGRAMS[name]}`;
  try {
    return Deno.statSync(path).isFile ? path : null;
  } catch {
    return null;
  }
}
