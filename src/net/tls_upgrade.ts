import { isIP } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { concatBytes } from "../base/bytes.ts";
import { helloServerName } from "./client_hello.ts";
import type { ClientTlsUpgrade, Conn, ServerTlsUpgrade, TlsInfo, TlsUpgrade } from "./conn.ts";
import { ConnDuplex } from "./conn_duplex.ts";
import { ConnError, errorCode, TlsError, type TlsFailure } from "./conn_error.ts";
import { streamConn } from "./stream_conn.ts";
import { clientSideInfo, serverSideInfo } from "./tls_info.ts";

/**
 * Makes the handshake over `conn` and returns the connection inside. Both sides use `node:tls`:
 * `Deno.startTls` is for clients only, and neither it nor `Deno.listenTls` tells version, cipher
 * and certificate or takes a certificate that it does not trust.
 *
 * @throws TlsError; `conn` is closed then.
 */
export function upgradeToTls(conn: Conn, upgrade: TlsUpgrade): Promise<Conn> {
  return upgrade.role === "server" ? acceptTls(conn, upgrade) : startTls(conn, upgrade);
}

async function acceptTls(conn: Conn, { context, timeoutMs }: ServerTlsUpgrade): Promise<Conn> {
  const state = context.current;
  const startedAtMs = performance.now();
  const hello = state.choosesByName ? await readHello(conn, timeoutMs) : NO_HELLO;
  const socket = new TLSSocket(new ConnDuplex(conn, { ahead: hello.octets }), {
    isServer: true,
    secureContext: state.contextFor(hello.serverName),
    requestCert: state.requestsClientCertificates,
    rejectUnauthorized: false, // who may do what is decided above, by `TlsInfo.peer`
  });
  const remainingMs = timeoutMs - (performance.now() - startedAtMs);
  await handshake(socket, { done: "secure", timeoutMs: remainingMs });
  return secured(conn, { socket, tls: serverSideInfo(socket, state) });
}

interface Hello {
  /** Read ahead of the handshake. */
  readonly octets: Uint8Array | null;
  readonly serverName: string | null;
}

const NO_HELLO: Hello = { octets: null, serverName: null };
const HELLO_BUFFER_BYTES = 4096;

/**
 * Finds out which name the client wants before the handshake begins. The library's own callback for
 * it costs 12 KiB of memory for the life of the connection.
 */
async function readHello(conn: Conn, timeoutMs: number): Promise<Hello> {
  const timer = setTimeout(() => conn.close(), timeoutMs);
  let octets: Uint8Array = new Uint8Array(0);
  try {
    for (;;) {
      const more = new Uint8Array(HELLO_BUFFER_BYTES);
      const lengthBytes = await conn.read(more);
      if (lengthBytes === null) throw failed("lost", "the connection ended");
      octets = concatBytes([octets, more.subarray(0, lengthBytes)]);
      const hello = helloServerName(octets);
      if (hello.kind === "complete") return { octets, serverName: hello.serverName };
    }
  } catch (cause) {
    conn.close();
    throw helloFailure(cause, timeoutMs);
  } finally {
    clearTimeout(timer);
  }
}

function helloFailure(cause: unknown, timeoutMs: number): TlsError {
  if (cause instanceof TlsError) return cause;
  if (cause instanceof ConnError && cause.kind === "closed") return tooLate(timeoutMs);
  return failed("lost", "the connection broke", cause);
}

async function startTls(conn: Conn, upgrade: ClientTlsUpgrade): Promise<Conn> {
  const socket = clientSocket(conn, upgrade);
  await handshake(socket, { done: "secureConnect", timeoutMs: upgrade.timeoutMs });
  const tls = clientSideInfo(socket);
  const result = secured(conn, { socket, tls });
  if (upgrade.verify === "none" || tls.peer?.authorized === true) return result;
  result.close();
  throw notAuthorized(tls.peer?.reason ?? "NO_CERTIFICATE");
}

function secured(
  { local, remote }: Conn,
  { socket, tls }: { socket: TLSSocket; tls: TlsInfo },
): Conn {
  return streamConn(socket, { local, remote, tls, upgradeToTls: refuseSecondUpgrade });
}

function clientSocket(conn: Conn, upgrade: ClientTlsUpgrade): TLSSocket {
  const { serverName, clientCertificate, ca, minVersion } = upgrade;
  return connect({
    socket: new ConnDuplex(conn),
    host: serverName,
    // RFC 6066 section 3: no IP addresses.
    servername: isIP(serverName) === 0 ? serverName : "",
    // The handshake proves that the peer holds the key of its certificate; whether the certificate
    // will do is judged afterwards, when it can be told what was wrong with it.
    rejectUnauthorized: false,
    minVersion: minVersion ?? "TLSv1.2",
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.key }),
  });
}

function handshake(
  socket: TLSSocket,
  { done, timeoutMs }: { done: "secure" | "secureConnect"; timeoutMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.off(done, onDone).off("error", onFailure).off("close", onLost).off("end", onLost);
      settle();
    };
    const fail = (error: TlsError): void =>
      end(() => {
        socket.on("error", () => {}); // what follows from the failure
        socket.destroy();
        reject(error);
      });
    const onDone = (): void => end(resolve);
    const onFailure = (cause: Error): void => fail(toTlsError(cause));
    const onLost = (): void => fail(failed("lost", "the connection ended"));
    const timer = setTimeout(() => fail(tooLate(timeoutMs)), timeoutMs);
    socket.on(done, onDone).on("error", onFailure).on("close", onLost).on("end", onLost);
  });
}

const FAILURE_OF_CODE: Readonly<Record<string, TlsFailure>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: "name_mismatch",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "expired",
  CERT_REVOKED: "untrusted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "untrusted",
  INVALID_PURPOSE: "untrusted",
  SELF_SIGNED_CERT_IN_CHAIN: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT: "untrusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "untrusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "untrusted",
  ECONNRESET: "lost",
  EPIPE: "lost",
};

function toTlsError(cause: Error): TlsError {
  return failed(FAILURE_OF_CODE[errorCode(cause)] ?? "handshake", cause.message, cause);
}

function notAuthorized(code: string): TlsError {
  const cause = Object.assign(new Error("the certificate is not authorized"), { code });
  return failed(FAILURE_OF_CODE[code] ?? "untrusted", `${cause.message}: ${code}`, cause);
}

function tooLate(timeoutMs: number): TlsError {
  return failed("timeout", `no end of it within ${Math.round(timeoutMs)} ms`);
}

function failed(reason: TlsFailure, text: string, cause?: unknown): TlsError {
  return new TlsError(reason, { message: `Cannot complete the TLS handshake: ${text}`, cause });
}

function refuseSecondUpgrade(): Promise<Conn> {
  return Promise.reject(failed("handshake", "the connection is inside TLS already"));
}
