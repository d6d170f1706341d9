import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { KeyPair, TlsMinVersion } from "./conn.ts";
import { dnsNames } from "./tls_info.ts";

/** How a server answers handshakes. */
export interface ServerTlsOptions {
  /**
   * At least one. A client that asks for a name gets the first pair that has it; all others get
   * the first of all.
   */
  readonly certificates: readonly KeyPair[];
  /** `TLSv1.2` where not given. */
  readonly minVersion?: TlsMinVersion;
  /**
   * Ask clients for a certificate. One that is missing or not trusted does not end the handshake;
   * `TlsInfo.peer` tells.
   */
  readonly requestClientCertificates?: boolean;
  /** PEM roots for client certificates; without them none is `authorized`. */
  readonly clientCa?: readonly string[];
}

/** A certificate or key that cannot be used. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

/**
 * What the connections of a server share for their handshakes. `replace` changes it for handshakes
 * that begin afterwards.
 */
export class ServerTlsContext {
  #current: ServerTlsState;

  /** @throws CertificateError when a pair cannot be used. */
  constructor(options: ServerTlsOptions) {
    this.#current = new ServerTlsState(options);
  }

  /** What one handshake uses from its begin to its end. */
  get current(): ServerTlsState {
    return this.#current;
  }

  /**
   * Uses other certificates or settings from now on. Sessions of before cannot be resumed.
   *
   * @throws CertificateError when a pair cannot be used; the former ones stay.
   */
  replace(options: ServerTlsOptions): void {
    this.#current = new ServerTlsState(options);
  }
}

const MAX_TRUSTED_CLIENTS = 10_000;

/** Certificates by name, sessions to resume, and the clients that were found trusted. */
export class ServerTlsState {
  /** Whether there is more than one certificate to choose from. */
  readonly choosesByName: boolean;
  readonly requestsClientCertificates: boolean;
  /** Without roots no client's certificate is trusted, whatever the library says. */
  readonly hasClientRoots: boolean;
  readonly #defaultContext: SecureContext;
  readonly #byName = new Map<string, SecureContext>();
  readonly #trustedClients = new Set<string>();

  constructor(options: ServerTlsOptions) {
    const contexts = options.certificates.map((pair) => this.#add(pair, options));
    const [defaultContext] = contexts;
    if (defaultContext === undefined) {
      throw new CertificateError("Cannot answer TLS: at least one certificate is needed, got none");
    }
    this.#defaultContext = defaultContext;
    this.choosesByName = contexts.length > 1;
    this.requestsClientCertificates = options.requestClientCertificates ?? false;
    this.hasClientRoots = (options.clientCa ?? []).length > 0;
  }

  /**
   * For clients that ask for `serverName` (RFC 6066 section 3, wildcards by RFC 6125 section 6.4.3),
   * or for none.
   */
  contextFor(serverName: string | null): SecureContext {
    if (serverName === null) return this.#defaultContext;
    const name = serverName.toLowerCase();
    const wildcard = `*${name.slice(Math.max(name.indexOf("."), 0))}`;
    return this.#byName.get(name) ?? this.#byName.get(wildcard) ?? this.#defaultContext;
  }

  /** Keeps that a full handshake found the certificate with this fingerprint trusted. */
  trustClient(fingerprint: string): void {
    this.#trustedClients.delete(fingerprint);
    if (this.#trustedClients.size >= MAX_TRUSTED_CLIENTS) this.#forgetOldest();
    this.#trustedClients.add(fingerprint);
  }

  /** Whether `trustClient` was called for it, not too long ago. */
  trustsClient(fingerprint: string): boolean {
    return this.#trustedClients.has(fingerprint);
  }

  #add(pair: KeyPair, options: ServerTlsOptions): SecureContext {
    const context = contextOf(pair, options);
    for (const name of namesOf(pair)) {
      if (!this.#byName.has(name)) this.#byName.set(name, context);
    }
    return context;
  }

  #forgetOldest(): void {
    for (const oldest of this.#trustedClients) {
      this.#trustedClients.delete(oldest);
      return;
    }
  }
}

/**
 * Makes the context for a server's handshakes.
 *
 * @throws CertificateError when a pair cannot be used.
 */
export function createServerTls(options: ServerTlsOptions): ServerTlsContext {
  return new ServerTlsContext(options);
}

function contextOf(
  { certificate, key }: KeyPair,
  { minVersion, clientCa }: ServerTlsOptions,
): SecureContext {
  try {
    return createSecureContext({
      cert: certificate,
      key,
      minVersion: minVersion ?? "TLSv1.2",
      ...(clientCa === undefined ? {} : { ca: [...clientCa] }),
    });
  } catch (cause) {
    throw unusable(cause);
  }
}

function namesOf({ certificate, key }: KeyPair): string[] {
  const own = parse(() => new X509Certificate(certificate));
  if (!own.checkPrivateKey(parse(() => createPrivateKey(key)))) {
    throw new CertificateError(`Cannot use the certificate: the key is not that of ${own.subject}`);
  }
  return dnsNames(own);
}

function parse<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    throw unusable(cause);
  }
}

function unusable(cause: unknown): CertificateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CertificateError(`Cannot use the certificate: ${reason}`, { cause });
}
