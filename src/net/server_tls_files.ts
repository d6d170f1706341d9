import { createPrivateKey, X509Certificate } from "node:crypto";
import { type Clock, systemClock } from "../base/clock.ts";
import type { KeyPair, TlsMinVersion } from "./conn.ts";
import { CertificateError, ServerTlsContext, type ServerTlsOptions } from "./server_tls.ts";

/** The settings of a TLS server, by the paths of PEM files. */
export interface ServerTlsFilesOptions {
  /** At least one; the first is shown to clients that ask for no name. */
  readonly certificates: readonly PairFiles[];
  readonly minVersion?: TlsMinVersion;
  readonly requestClientCertificates?: boolean;
  /** Roots for client certificates. */
  readonly clientCaFile?: string;
}

/** When to look at the files, and whom to tell. */
export interface WatchOptions {
  /** A minute where not given. */
  readonly intervalMs?: number;
  readonly clock?: Clock;
  /** The files had changed, and new handshakes use what they say. */
  readonly onReload: () => void;
  /**
   * The files changed to something that cannot be used, which is a `CertificateError`, or there is a
   * defect; told once for each way of it.
   */
  readonly onError: (error: unknown) => void;
}

const DEFAULT_INTERVAL_MS = 60_000;

/** A TLS context that follows its files. */
export class ServerTlsFiles implements Disposable {
  readonly context: ServerTlsContext;
  readonly #files: ServerTlsFilesOptions;
  #inUse: string;
  #lastTrouble = "";
  #cancelWatch = (): void => {};

  private constructor(files: ServerTlsFilesOptions, options: ServerTlsOptions) {
    this.context = new ServerTlsContext(options);
    this.#files = files;
    this.#inUse = JSON.stringify(options);
  }

  /**
   * Reads the files.
   *
   * @throws CertificateError when one cannot be read or used.
   */
  static async open(files: ServerTlsFilesOptions): Promise<ServerTlsFiles> {
    return new ServerTlsFiles(files, await readFiles(files));
  }

  /**
   * Reads the files again and tells whether they had changed.
   *
   * @throws CertificateError when one cannot be read or used; the former certificates stay.
   */
  async reload(): Promise<boolean> {
    const options = await readFiles(this.#files);
    const found = JSON.stringify(options);
    if (found === this.#inUse) return false;
    this.context.replace(options);
    this.#inUse = found;
    return true;
  }

  /** Reloads by itself until disposed of. */
  watch(options: WatchOptions): void {
    const { clock = systemClock, intervalMs = DEFAULT_INTERVAL_MS } = options;
    let isWatching = true;
    const next = (): () => void => clock.schedule(intervalMs, look);
    const look = (): void => {
      // After any error the next look has to follow, or the files are never read again.
      void this.#look(options).finally(() => {
        if (isWatching) cancel = next();
      });
    };
    let cancel = next();
    this.#cancelWatch = (): void => {
      isWatching = false;
      cancel();
    };
  }

  [Symbol.dispose](): void {
    this.#cancelWatch();
  }

  async #look({ onReload, onError }: WatchOptions): Promise<void> {
    try {
      if (await this.reload()) onReload();
      this.#lastTrouble = "";
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.#lastTrouble) onError(error);
      this.#lastTrouble = trouble;
    }
  }
}

async function readFiles(files: ServerTlsFilesOptions): Promise<ServerTlsOptions> {
  const { certificates, clientCaFile, ...rest } = files;
  return {
    ...rest,
    certificates: await Promise.all(certificates.map(async (files) => {
      const { certificate, key } = await readPair(files);
      return { certificate, key };
    })),
    ...(clientCaFile === undefined ? {} : { clientCa: [await readFile(clientCaFile)] }),
  };
}

/** The files of a certificate and its key. */
export interface PairFiles {
  /** The certificate, then its intermediates. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/**
 * Reads a certificate and its key.
 *
 * @throws CertificateError that names the file and says what is wrong with it.
 */
export async function readPair(
  { certificateFile, keyFile }: PairFiles,
  read: (path: string) => Promise<string> = Deno.readTextFile,
): Promise<KeyPair & { readonly expiresAtMs: number }> {
  const [certificate, key] = await Promise.all([
    readFile(certificateFile, read),
    readFile(keyFile, read),
  ]);
  if (!CERTIFICATE.test(certificate)) {
    throw new CertificateError(
      `${certificateFile} holds no certificate in PEM${swapped(certificate)}`,
    );
  }
  if (!KEY.test(key)) {
    throw new CertificateError(`${keyFile} holds no private key in PEM${swapped(key)}`);
  }
  if (ENCRYPTED.test(key)) {
    throw new CertificateError(`The key in ${keyFile} is encrypted; store it without a passphrase`);
  }
  const own = inFile(certificateFile, () => new X509Certificate(certificate));
  if (!own.checkPrivateKey(inFile(keyFile, () => createPrivateKey(key)))) {
    throw new CertificateError(
      `The key in ${keyFile} does not belong to the certificate in ${certificateFile}`,
    );
  }
  return { certificate, key, expiresAtMs: Date.parse(own.validTo) };
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** A hint where the other file's content stands in a file. */
function swapped(text: string): string {
  const other = KEY.test(text) ? "a private key" : CERTIFICATE.test(text) ? "a certificate" : null;
  return other === null ? "" : `, but ${other}: certificate and key may be swapped`;
}

function inFile<Value>(path: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CertificateError(`${path} is damaged: ${reason}`, { cause });
  }
}

async function readFile(
  path: string,
  read: (path: string) => Promise<string> = Deno.readTextFile,
): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CertificateError(`Cannot read ${path}: ${reason}`, { cause });
  }
}
