/** A real Dovecot of the test's own: LMTP in, POP3 out, and its authentication for others. */
import {
  freePort,
  havePeer,
  isExecutable,
  type Peer,
  runPeer,
  startPeer,
  tempFolder,
  waitForPort,
} from "./peers.ts";

/** A running Dovecot. Disposing of it stops it and removes its folder. */
export interface Dovecot extends AsyncDisposable {
  /** Where it takes mail by LMTP, on 127.0.0.1 and at a Unix socket. */
  readonly lmtpPort: number;
  readonly lmtpSocket: string;
  /** Where people fetch it, on 127.0.0.1. */
  readonly pop3Port: number;
  /** Where Postfix asks who somebody is (`smtpd_sasl_path`). */
  readonly authSocket: string;
  /** What it logged so far. */
  log(): Promise<string>;
}

/** What a test may choose. */
export interface DovecotOptions {
  /** Passwords by user, whose mailbox is that of the address `user@…`. */
  readonly users: Readonly<Record<string, string>>;
  /** The most octets of a mailbox, as `1k`; without, there is no limit. */
  readonly quota?: string;
  /** Where it asks whose an access token is: the token goes behind it. */
  readonly tokenInfoUrl?: string;
}

/** The system's user without rights. */
const NOBODY = 65534;

/** Where systems put the programs that Dovecot starts. */
const PROGRAM_FOLDERS = ["/usr/lib/dovecot", "/usr/libexec/dovecot"];

/** Whether Dovecot can be run here, as root or not, with LMTP and POP3, which are packages apart. */
export function canRunDovecot(): boolean {
  if (Deno.env.get("CI") === "true") return true;
  return havePeer("dovecot") &&
    ["lmtp", "pop3-login"].every((program) =>
      PROGRAM_FOLDERS.some((folder) => isExecutable(`${folder}/${program}`))
    );
}

/** Starts a Dovecot whose users have empty mailboxes. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const folder = await tempFolder();
  const ports = { lmtp: freePort(), pop3: freePort() };
  let dovecot: Peer | null = null;
  try {
    await writeConfig(folder.path, { ports, options });
    dovecot = startPeer("dovecot", { args: ["-F", "-c", `${folder.path}/dovecot.conf`] });
    await Promise.race([
      Promise.all([waitForPort(ports.lmtp), waitForPort(ports.pop3)]),
      dovecot.ended.then(({ stderr }) => Promise.reject(new Error(`dovecot ended: ${stderr}`))),
    ]);
  } catch (error) {
    await dovecot?.[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  const running = dovecot;
  return {
    lmtpPort: ports.lmtp,
    pop3Port: ports.pop3,
    lmtpSocket: `${folder.path}/run/lmtp`,
    authSocket: `${folder.path}/run/auth-client`,
    log: () => Deno.readTextFile(`${folder.path}/log`),
    [Symbol.asyncDispose]: async () => {
      running.kill("SIGKILL"); // its children go with it at once; with SIGTERM it waits for them
      await running.ended;
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function writeConfig(
  path: string,
  { ports, options }: { ports: { lmtp: number; pop3: number }; options: DovecotOptions },
): Promise<void> {
  await Deno.chmod(path, 0o755); // its unprivileged processes pass through
  for (const name of ["run", "state", "mail"]) await Deno.mkdir(`${path}/${name}`);
  const isRoot = Deno.uid() === 0;
  // It never touches mail as root.
  const [uid, gid] = isRoot ? [NOBODY, NOBODY] : [Deno.uid(), Deno.gid()];
  const users = Object.entries(options.users).map(([user, password]) =>
    `${user}:{PLAIN}${password}:${uid}:${gid}::${path}/mail/${user}\n`
  );
  await Deno.writeTextFile(`${path}/users`, users.join(""));
  await Deno.writeTextFile(`${path}/log`, "");
  await Deno.chmod(`${path}/log`, 0o666);
  if (isRoot) await Deno.chown(`${path}/mail`, NOBODY, NOBODY);
  const account = isRoot ? null : await accountName();
  await Deno.writeTextFile(`${path}/oauth2.conf`, oauthConfig(options));
  const config = dovecotConfig({ path, ports, options, account });
  await Deno.writeTextFile(`${path}/dovecot.conf`, config);
}

function oauthConfig({ tokenInfoUrl = "http://127.0.0.1:9/" }: DovecotOptions): string {
  return [
    `tokeninfo_url = ${tokenInfoUrl}`,
    `username_attribute = user`,
    `active_attribute = active`,
    `active_value = yes`,
    ``,
  ].join("\n");
}

async function accountName(): Promise<string> {
  return (await runPeer("id", { args: ["-un"] })).stdout.trim();
}

function dovecotConfig(
  { path, ports, options, account }: {
    path: string;
    ports: { lmtp: number; pop3: number };
    options: DovecotOptions;
    /** Whom all of it runs as; null where it is root and picks its own. */
    account: string | null;
  },
): string {
  const internal = account === null ? [] : [
    `default_internal_user = ${account}`,
    `default_internal_group = ${account}`,
    `default_login_user = ${account}`,
  ];
  const quota = options.quota === undefined ? [] : [
    `mail_plugins = $mail_plugins quota`,
    `plugin {\n quota = count:User quota\n quota_rule = *:storage=${options.quota}\n` +
    ` quota_vsizes = yes\n}`,
  ];
  return [
    `base_dir = ${path}/run`,
    `state_dir = ${path}/state`,
    `log_path = ${path}/log`,
    `protocols = lmtp pop3`,
    `listen = 127.0.0.1`,
    ...internal,
    `first_valid_uid = 1`,
    `ssl = no`,
    `disable_plaintext_auth = no`,
    `auth_failure_delay = 0`,
    `auth_mechanisms = plain login cram-md5 scram-sha-256 oauthbearer xoauth2`,
    `auth_username_format = %Ln`, // the part before the @
    `mail_location = maildir:${path}/mail/%n`,
    ...quota,
    `passdb {\n driver = oauth2\n mechanisms = oauthbearer xoauth2\n args = ${path}/oauth2.conf\n}`,
    `passdb {\n driver = passwd-file\n args = scheme=PLAIN username_format=%n ${path}/users\n}`,
    `userdb {\n driver = passwd-file\n args = username_format=%n ${path}/users\n}`,
    `service lmtp {`,
    ` inet_listener lmtp {\n address = 127.0.0.1\n port = ${ports.lmtp}\n }`,
    ` unix_listener lmtp {\n mode = 0666\n }\n}`,
    `service pop3-login {\n chroot =`,
    ` inet_listener pop3 {\n port = ${ports.pop3}\n }`,
    ` inet_listener pop3s {\n port = 0\n }\n}`,
    `service auth {\n unix_listener auth-client {\n mode = 0666\n }\n}`,
    // Nobody waits for seconds because a login failed before.
    `service anvil {\n chroot =\n unix_listener anvil-auth-penalty {\n mode = 0\n }\n}`,
    `service stats {\n chroot =\n}`,
    ``,
  ].join("\n");
}
