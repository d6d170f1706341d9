import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { ServerTlsUpgrade } from "../net/conn.ts";
import { ServerTlsFiles } from "../net/server_tls_files.ts";
import type { EventSink } from "../observe/events.ts";

/** How long a client may take for a handshake. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** The contexts in which listeners answer handshakes, without and with a client certificate. */
interface Contexts {
  readonly settings: string;
  readonly plain: ServerTlsFiles;
  readonly asking: ServerTlsFiles;
}

/** The certificates of all listeners. They follow their files. */
export class ListenerTls implements Disposable {
  readonly #clock: Clock;
  readonly #events: EventSink;
  #contexts: Contexts | null = null;

  constructor({ clock, events }: { clock: Clock; events: EventSink }) {
    this.#clock = clock;
    this.#events = events;
  }

  /**
   * Uses the certificates of a configuration, read anew.
   *
   * @throws CertificateError when one cannot be used; the former ones stay.
   */
  async use({ tls }: Pick<Config, "tls">): Promise<void> {
    const settings = JSON.stringify(tls);
    const before = this.#contexts;
    if (before?.settings === settings) {
      await Promise.all([before.plain.reload(), before.asking.reload()]);
      return;
    }
    const next = tls.certificates.length === 0 ? null : await this.#open(tls, settings);
    this[Symbol.dispose]();
    this.#contexts = next;
  }

  /** How a listener upgrades connections; null where there are no certificates. */
  upgrade({ clientCertificates }: { clientCertificates: boolean }): ServerTlsUpgrade | null {
    const contexts = this.#contexts;
    if (contexts === null) return null;
    const { context } = clientCertificates ? contexts.asking : contexts.plain;
    return { role: "server", context, timeoutMs: HANDSHAKE_TIMEOUT_MS };
  }

  [Symbol.dispose](): void {
    this.#contexts?.plain[Symbol.dispose]();
    this.#contexts?.asking[Symbol.dispose]();
    this.#contexts = null;
  }

  async #open(tls: Config["tls"], settings: string): Promise<Contexts> {
    const { certificates, minVersion, clientCaFile } = tls;
    const roots = clientCaFile === null ? {} : { clientCaFile };
    const [plain, asking] = await Promise.all([
      ServerTlsFiles.open({ certificates, minVersion }),
      ServerTlsFiles.open({ certificates, minVersion, requestClientCertificates: true, ...roots }),
    ]);
    this.#watch(plain);
    this.#watch(asking);
    return { settings, plain, asking };
  }

  #watch(files: ServerTlsFiles): void {
    files.watch({
      clock: this.#clock,
      onReload: () => this.#events({ type: "reloaded", detail: "certificates" }),
      onError: (cause) => {
        const message = "The certificates were not reloaded; the previous ones stay in force";
        this.#events({ type: "trouble", level: "error", component: "tls", message, cause });
      },
    });
  }
}
