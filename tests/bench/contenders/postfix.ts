import {
  freePort,
  havePeer,
  type Peer,
  startPeer,
  tempFolder,
  waitForPort,
} from "../../support/peers.ts";
import { canRunPostfix, startPostfix } from "../../support/postfix.ts";
import { BENCH_DOMAIN, type Contender, SELECTOR, type SigningSetup } from "../contender.ts";

/** Durability, process limits and concurrency as Debian installs it; 100 processes of a kind. */
export const postfix: Contender = {
  name: "postfix",
  messages: 3000,
  idleSessions: 90,
  can: ({ signing }) => canRunPostfix() && (signing === undefined || havePeer("opendkim")),
  start: async ({ nextHopPort, tls, signing, dnsAddress }) => {
    await using stack = new AsyncDisposableStack();
    const milter = signing === undefined ? null : stack.use(await startOpenDkim(signing));
    const server = stack.use(
      await startPostfix({
        nextHopPort,
        ...(dnsAddress === undefined ? {} : { nameServer: dnsAddress }),
        settings: {
          message_size_limit: String(200 * 1024 * 1024),
          ...tls === true ? TLS_SETTINGS : {},
          ...dnsAddress === undefined ? {} : mxSettings(nextHopPort),
          ...milter === null ? {} : milterSettings(milter.port),
        },
      }),
    );
    const owned = stack.move();
    return {
      port: server.port,
      pids: milter === null ? [server.masterPid] : [server.masterPid, milter.pid],
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

/** Sessions are resumed, as in Debian's main.cf. */
const TLS_SETTINGS = {
  smtp_tls_security_level: "encrypt",
  smtp_tls_session_cache_database: "btree:${data_directory}/smtp_scache",
};

function mxSettings(port: number): Record<string, string> {
  return { relayhost: "", smtp_tcp_port: String(port) };
}

/** Nothing leaves without a signature. */
function milterSettings(port: number): Record<string, string> {
  return { smtpd_milters: `inet:127.0.0.1:${port}`, milter_default_action: "tempfail" };
}

interface Milter extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

async function startOpenDkim({ type, pem }: SigningSetup): Promise<Milter> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder());
  const port = freePort();
  await Deno.writeTextFile(`${folder.path}/key.pem`, pem, { mode: 0o600 });
  await Deno.writeTextFile(
    `${folder.path}/conf`,
    [
      "Mode s",
      `Socket inet:${port}@127.0.0.1`,
      `Domain ${BENCH_DOMAIN}`,
      `Selector ${SELECTOR}`,
      `KeyFile ${folder.path}/key.pem`,
      `SignatureAlgorithm ${type}-sha256`,
      "RequireSafeKeys no", // the folder stands below one that all may write to
      "Canonicalization relaxed/relaxed",
      "OversignHeaders From",
      "",
    ].join("\n"),
  );
  const peer: Peer = stack.use(
    startPeer("opendkim", { args: ["-f", "-x", `${folder.path}/conf`] }),
  );
  await waitForPort(port);
  const owned = stack.move();
  return { port, pid: peer.pid, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
