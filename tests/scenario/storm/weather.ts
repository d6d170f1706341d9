/** The world that the relay sends to: destinations, their DNS, and what befalls them. */
import { type Random, seededRandom } from "../../../src/base/random.ts";
import { createServerTls } from "../../../src/net/server_tls.ts";
import { selfSigned } from "../../support/certificates.ts";
import { type DnsServer, type Misbehaviour, startDnsServer } from "../../support/dns_server.ts";
import { freePort } from "../../support/peers.ts";
import type { Books } from "./books.ts";
import { Destination } from "./destination.ts";
import { type Climate, pick } from "./mishaps.ts";

const CLIMATES: readonly Climate[] = [
  { mishaps: 0.01, cuts: 0.01, passing: false },
  { mishaps: 0.04, cuts: 0.05, passing: false },
  { mishaps: 0.12, cuts: 0.15, passing: false },
];
/** Where notifications go: they are late, but they arrive. */
const HOME: Climate = { mishaps: 0.05, cuts: 0.05, passing: true };
/** Nobody gets a message here. */
const NEVER: Climate = { mishaps: 1, cuts: 1, passing: true };

const EXTENSIONS = ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "STARTTLS", "DSN"];
const DNS_TROUBLES: readonly Misbehaviour[] = [
  ...["SERVFAIL", "REFUSED", "silence", "silence_once", "garbage", "truncation"] as const,
];
const TTL_SECONDS = 1;

/** Disposing of it cuts every connection. */
export class Weather implements AsyncDisposable {
  /** Domains that recipients may be in. */
  readonly domains: readonly string[];
  /** The one port of all destinations. */
  readonly port: number;
  readonly #dns: DnsServer;
  readonly #destinations: readonly Destination[];
  readonly #random: Random;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #troubled = new Set<string>();

  private constructor(
    { dns, destinations, domains, port, random }: {
      dns: DnsServer;
      destinations: readonly Destination[];
      domains: readonly string[];
      port: number;
      random: Random;
    },
  ) {
    this.#dns = dns;
    this.#destinations = destinations;
    this.domains = domains;
    this.port = port;
    this.#random = random;
  }

  /** Makes a world with so many domains; each has one exchanger, or two. */
  static async make(
    { books, seed, domainCount }: { books: Books; seed: number; domainCount: number },
  ): Promise<Weather> {
    const random = seededRandom(seed);
    const dns = await startDnsServer();
    const tls = createServerTls({ certificates: [selfSigned({ names: ["storm.test"] })] });
    const port = freePort();
    const net = `127.${64 + Math.floor(Math.random() * 64)}.${Math.floor(Math.random() * 250)}`;
    const domains = Array.from({ length: domainCount }, (_, number) => `d${number}.test`);
    const destinations: Destination[] = [];
    const addHost = (domain: string, { preference, climate }: {
      preference: number;
      climate: Climate;
    }): void => {
      const address = `${net}.${destinations.length + 1}`;
      const exchange = `mx${preference}.${domain}`;
      const options = { ttlSeconds: TTL_SECONDS };
      dns.add(domain, "MX", [{ preference, exchange }], options);
      dns.add(exchange, "A", [address], options);
      destinations.push(
        new Destination({
          ...{ address, port, climate, tls },
          random: seededRandom(seed + destinations.length + 1),
          extensions: EXTENSIONS.filter(() => random.float() < 0.6),
          take: (message) => books.noteTaken(message),
        }),
      );
    };
    addHost("home.test", { preference: 10, climate: HOME });
    addHost("never.test", { preference: 10, climate: NEVER });
    for (const domain of domains) {
      addHost(domain, { preference: 10, climate: pick(CLIMATES, random) });
      if (random.float() < 0.3) addHost(domain, { preference: 20, climate: CLIMATES[0] ?? HOME });
    }
    const all = [...domains, "never.test"];
    return new Weather({ dns, destinations, domains: all, port, random });
  }

  /** `127.0.0.1:port` of its DNS. */
  get dnsAddress(): string {
    return this.#dns.address;
  }

  /** From now on hosts come and go, and so does the DNS. */
  begin(): void {
    this.#timer = setTimeout(() => this.#change(), 20 + this.#random.float() * 80);
  }

  /** Everything works from now on, but for the domain that never does. */
  calmDown(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const name of this.#troubled) this.#dns.misbehave(name, null);
    for (const [index, destination] of this.#destinations.entries()) {
      if (index !== 1) destination.calmDown();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.calmDown();
    await this.#dns[Symbol.asyncDispose]();
    await Promise.all(this.#destinations.map((each) => each[Symbol.asyncDispose]()));
  }

  #change(): void {
    const destination = pick(this.#destinations, this.#random);
    if (this.#random.float() < 0.25) destination.refuse();
    else destination.listen();
    const domain = pick(this.domains, this.#random);
    const name = this.#random.float() < 0.5 ? domain : `mx10.${domain}`;
    if (this.#troubled.delete(name)) this.#dns.misbehave(name, null);
    else if (this.#random.float() < 0.15) {
      this.#troubled.add(name);
      this.#dns.misbehave(name, pick(DNS_TROUBLES, this.#random));
    }
    this.begin();
  }
}
