import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import { errorCode } from "./conn_error.ts";
import type { PeerCertificate, TlsInfo } from "./conn.ts";
import type { ServerTlsState } from "./server_tls.ts";

/** What the handshake agreed on, as the connecting side sees it. */
export function clientSideInfo(socket: TLSSocket): TlsInfo {
  const error: unknown = socket.authorizationError;
  const reason = socket.authorized ? null : errorCode(error) || String(error ?? "UNKNOWN");
  return tlsInfo(socket, reason);
}

/**
 * What the handshake agreed on, as the accepting side sees it. A resumed session presents the
 * certificate of the full handshake without verifying it again, so what was found then, under the
 * same `state`, is kept there.
 */
export function serverSideInfo(socket: TLSSocket, state: ServerTlsState): TlsInfo {
  if (!state.hasClientRoots) return tlsInfo(socket, "NO_TRUSTED_ROOTS");
  const fingerprint256 = ownCertificate(socket)?.fingerprint256;
  if (fingerprint256 === undefined) return tlsInfo(socket, "NO_CERTIFICATE");
  if (socket.isSessionReused()) {
    return tlsInfo(socket, state.trustsClient(fingerprint256) ? null : "SESSION_NOT_TRUSTED");
  }
  const trouble = clientCertificateTrouble(socket);
  if (trouble === null) state.trustClient(fingerprint256);
  return tlsInfo(socket, trouble);
}

function tlsInfo(socket: TLSSocket, reason: string | null): TlsInfo {
  const peer = peerCertificate(socket, reason);
  const serverName: unknown = Reflect.get(socket, "servername");
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    ...(typeof serverName === "string" && serverName !== "" ? { serverName } : {}),
    ...(peer === null ? {} : { peer }),
  };
}

/**
 * Why a client's certificate is not trusted; null when it is. `node:tls` computes this for sockets
 * that its own server accepted and leaves it out for others, so the handle is asked; when it
 * cannot tell, nothing is trusted.
 */
function clientCertificateTrouble(socket: TLSSocket): string | null {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || !("verifyError" in handle)) return "UNKNOWN";
  if (typeof handle.verifyError !== "function") return "UNKNOWN";
  const error: unknown = handle.verifyError();
  return error ? errorCode(error) || String(error) : null; // no trouble is an empty code
}

function peerCertificate(socket: TLSSocket, reason: string | null): PeerCertificate | null {
  const chain = chainOf(ownCertificate(socket));
  const own = chain[0];
  if (own === undefined) return null;
  const certificate = new X509Certificate(own);
  const trouble = dateTrouble(certificate) ?? reason;
  return {
    authorized: trouble === null,
    reason: trouble,
    fingerprintSha256: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    subject: certificate.subject.replaceAll("\n", ", "),
    names: dnsNames(certificate),
    chain,
  };
}

/**
 * The runtime reports a certificate that is out of date as one that nobody vouches for, and does
 * not look again when a session is resumed.
 */
function dateTrouble({ validFrom, validTo }: X509Certificate): string | null {
  const nowMs = Date.now();
  if (nowMs > Date.parse(validTo)) return "CERT_HAS_EXPIRED";
  return nowMs < Date.parse(validFrom) ? "CERT_NOT_YET_VALID" : null;
}

/** The DNS names of a certificate in lower case (RFC 5280 section 4.2.1.6). */
export function dnsNames({ subjectAltName }: X509Certificate): string[] {
  const names = (subjectAltName ?? "").split(", ").filter((name) => name.startsWith("DNS:"));
  return names.map((name) => name.slice("DNS:".length).toLowerCase());
}

const LONGEST_CHAIN = 10;

/** Null when there is none or the socket is gone already, an empty object in some versions. */
function ownCertificate(socket: TLSSocket): Partial<DetailedPeerCertificate> | null {
  return socket.getPeerCertificate(true);
}

function chainOf(first: Partial<DetailedPeerCertificate> | null): Uint8Array[] {
  const chain = new Map<string, Uint8Array>();
  for (let next = first; next?.raw !== undefined; next = next.issuerCertificate ?? null) {
    const { raw, fingerprint256 = "" } = next;
    // A root is its own issuer, and the runtime may name it twice.
    if (chain.size === LONGEST_CHAIN || chain.has(fingerprint256)) break;
    chain.set(fingerprint256, new Uint8Array(raw));
  }
  return [...chain.values()];
}
