import type { MailResolver } from "../../src/delivery/smtp/options.ts";
import type { DnsResult, MxRecord } from "../../src/net/resolver.ts";
import { type DnsChange, SECOND_MS } from "./plan.ts";
import { domainOf } from "./relay.ts";
import type { WireFacts } from "./wire.ts";
import type { World } from "./world.ts";

/** Last octets of addresses, to which the place of the domain is added. */
const FIRST = 10;
const SECOND = 100;
const MOVED = 200;
const DEAD = 50;

const DEAD_NAME = "dead-mx.";

type Answer<T> = Promise<DnsResult<T>>;

/** The DNS as one transport sees it: the exchangers of each domain, when the weather lets it. */
export function worldResolver(facts: WireFacts): MailResolver {
  const server = new NameServer(facts);
  const none = () => Promise.resolve(NONE);
  return {
    mx: (domain) => server.mx(domain),
    addresses: (host) => server.addresses(host),
    ...{ tlsa: none, cname: none, txt: none, srv: none },
  };
}

class NameServer {
  readonly #facts: WireFacts;

  constructor(facts: WireFacts) {
    this.#facts = facts;
  }

  mx(domain: string): Answer<MxRecord> {
    return this.#answer(domain, {
      name: domain,
      find: (change) => this.#exchangers(domain, change),
    });
  }

  addresses(host: string): Answer<{ address: string; family: 4 }> {
    const domain = host.replace(/^(dead-)?mx\./, "");
    return this.#answer(domain, {
      name: host,
      find: (change) => {
        const place = this.#facts.world.plan.settings.domains.indexOf(domain);
        const octets = host.startsWith(DEAD_NAME)
          ? [DEAD]
          : change === "moved"
          ? [MOVED]
          : [FIRST, SECOND];
        if (change === "no_address" || place < 0) return this.#refused(domain, NONE);
        const records = octets.map((octet) => ({
          address: `192.0.2.${octet + place}`,
          family: 4 as const,
        }));
        return { kind: "found", records, canonicalName: host, ...FACTS };
      },
    });
  }

  #exchangers(domain: string, change: DnsChange["answer"] | null): DnsResult<MxRecord> {
    const { settings } = this.#facts.world.plan;
    const layout = settings.exchangers[settings.domains.indexOf(domain)];
    if (change === "null_mx") {
      return this.#refused(domain, foundMx(domain, [{ preference: 0, exchange: "" }]));
    }
    if (layout === "implicit") return NONE;
    const first = { preference: 10, exchange: `mx.${domain}` };
    if (layout !== "first_dead") return foundMx(domain, [first]);
    return foundMx(domain, [{ preference: 5, exchange: `${DEAD_NAME}${domain}` }, first]);
  }

  async #answer<T>(
    domain: string,
    { name, find }: {
      name: string;
      find: (change: DnsChange["answer"] | null) => DnsResult<T>;
    },
  ): Answer<T> {
    const { world, life, skyFor } = this.#facts;
    if (skyFor(domain, `dns ${name}`) === "throws") {
      return { kind: "temporary", reason: "server_failure" };
    }
    const change = [...world.dnsChanges].find((one) => one.domain === domain)?.answer ?? null;
    if (change === "nonexistent") return this.#refused(domain, { kind: "nonexistent", ...FACTS });
    if (change !== "timeout") return find(change);
    const delayMs = 1 + 20 * SECOND_MS * world.roll(`dns timeout ${name}`);
    await new Promise<void>((resolve) =>
      world.clock.schedule(delayMs, { owner: life.wires, callback: resolve })
    );
    return { kind: "temporary", reason: "timeout" };
  }

  /** The DNS says that mail for a domain has nowhere to go, which is a reason to return it. */
  #refused<Result>(domain: string, result: Result): Result {
    const { world, life, plan } = this.#facts;
    for (const account of world.ledger.accounts) {
      const isAsking = account.openIn === life.number && account.openBy === plan.name;
      if (isAsking && domainOf(account.mailbox) === domain) account.refused = true;
    }
    return result;
  }
}

const FACTS = { ttlMs: 60_000, authentic: false };
const NONE = { kind: "none", ...FACTS } as const;

function foundMx(domain: string, records: readonly MxRecord[]): DnsResult<MxRecord> {
  return { kind: "found", records, canonicalName: domain, ...FACTS };
}

/** The domain whose exchanger is at an address; empty for a smarthost. */
export function domainAt(world: World, address: string): string {
  const last = Number(address.split(".").at(-1));
  const start = [MOVED, SECOND, DEAD, FIRST].find((octet) => last >= octet) ?? 0;
  return world.plan.settings.domains[last - start] ?? "";
}

/** Whether nobody listens at an address. */
export function isDeadAt(address: string): boolean {
  const last = Number(address.split(".").at(-1));
  return last >= DEAD && last < SECOND;
}
