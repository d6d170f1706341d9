/** The mail servers that are measured side by side. */

/** What a server is to do with the mail it takes. */
export interface Setup {
  /** The port on 127.0.0.1 that everything is sent to. */
  readonly nextHopPort: number;
  /** Whether it goes there inside TLS, with any certificate, or not at all. */
  readonly tls?: boolean;
  /** Signs the mail of `BENCH_DOMAIN` with DKIM. */
  readonly signing?: SigningSetup;
  /**
   * In place of one next hop, mail goes to the exchangers of its recipients' domains, at port
   * `nextHopPort`. The IP address of the DNS server, which listens at port 53.
   */
  readonly dnsAddress?: string;
}

/** A DKIM key. */
export interface SigningSetup {
  readonly type: "rsa" | "ed25519";
  /** The private key, PEM. */
  readonly pem: string;
}

/** The domain of all senders. */
export const BENCH_DOMAIN = "source.test";
export const SELECTOR = "bench";

/** A server under measurement. */
export interface RunningServer extends AsyncDisposable {
  /** Where it accepts SMTP on 127.0.0.1. */
  readonly port: number;
  /** The processes whose trees are measured; the first is the server's own. */
  readonly pids: readonly [number, ...number[]];
}

/** A kind of server, and how much of it fits into a short run. */
export interface Contender {
  readonly name: string;
  /** Messages of a throughput run: some seconds' worth. */
  readonly messages: number;
  /** Sessions it can hold open with its default limits. */
  readonly idleSessions: number;
  /** Whether it can be set up like this. */
  can(setup: Omit<Setup, "nextHopPort">): boolean;
  /** Starts one with an empty queue. */
  start(setup: Setup): Promise<RunningServer>;
}
