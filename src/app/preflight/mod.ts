import { recordsOf } from "../../authentication/records.ts";
import type { PreflightCheck, PreflightPort } from "../../admin/ports.ts";
import type { Clock } from "../../base/clock.ts";
import { parseIp } from "../../base/ip.ts";
import type { Config } from "../../config/schema.ts";
import { dial as dialNet } from "../../net/dial.ts";
import type { Resolver } from "../../net/resolver.ts";
import { isInNetworks, parseNetwork } from "../../policy/network.ts";
import { type Finding } from "./check.ts";
import { checkArc, checkDkim } from "./dkim.ts";
import { checkMtaSts } from "./mta_sts.ts";
import { nearestDomain } from "../../feedback/return_address.ts";
import { checkReturnMx } from "./return_path.ts";
import { checkDmarc, checkSpf, checkTlsRpt } from "./records.ts";
import { checkPort25, checkReverseDns } from "./surroundings.ts";

/** What the checks need of the configuration. */
export type PreflightConfig = Pick<Config, "hostname" | "relay" | "dkim" | "arc" | "bounces">;

export interface PreflightOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly config: () => PreflightConfig;
  readonly dial?: typeof dialNet;
  readonly fetch?: typeof fetch;
  readonly smtpPort?: number;
}

type StartedCheck = readonly [name: string, title: string, finding: Promise<Finding>];

/** Networks of which nobody outside knows. */
const PRIVATE = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"],
].flatMap((block) => {
  const parsed = parseNetwork(block);
  return parsed.kind === "ok" ? [parsed.network] : [];
});

/** Looks at a domain as receivers of its mail would. */
export function createPreflight(options: PreflightOptions): PreflightPort {
  const { resolver, clock, config, dial = dialNet, smtpPort = 25 } = options;
  const fetchPolicy = options.fetch ?? fetch;
  return {
    get domains() {
      return suggestedDomains(config());
    },
    async check(domain, { signal }) {
      const { hostname, dkim, arc, bounces } = config();
      const addresses = await publicAddresses(resolver, hostname);
      const seal: readonly StartedCheck[] = arc?.domain === domain
        ? [["arc", "ARC", checkArc(resolver, { domain, arc })]]
        : [];
      const checks: readonly StartedCheck[] = [
        ["spf", "SPF", checkSpf(resolver, { domain, addresses })],
        ["dkim", "DKIM", checkDkim(resolver, { domain, dkim })],
        ...seal,
        ...returnPathChecks(resolver, { domain, hostname, addresses, bounces }),
        ["dmarc", "DMARC", checkDmarc(resolver, { domain })],
        ["reverse_dns", "Reverse DNS", checkReverseDns(resolver, { hostname, addresses })],
        [
          "port_25",
          "Port 25 outwards",
          checkPort25({ resolver, dial, clock, signal, port: smtpPort }, { domain }),
        ],
        ["mta_sts", "MTA-STS", checkMtaSts({ resolver, fetch: fetchPolicy, signal }, { domain })],
        ["tls_rpt", "TLS reports", checkTlsRpt(resolver, { domain })],
      ];
      return {
        domain,
        checkedAtMs: clock.now(),
        checks: await Promise.all(
          checks.map(async ([name, title, finding]): Promise<PreflightCheck> => ({
            name,
            title,
            ...await finding,
          })),
        ),
      };
    },
  };
}

/** What is looked at where the domain's mail leaves from return addresses in another one. */
function returnPathChecks(
  resolver: Resolver,
  { domain: sender, hostname, addresses, bounces: { domains } }: {
    domain: string;
    hostname: string;
    addresses: readonly string[];
    bounces: PreflightConfig["bounces"];
  },
): readonly StartedCheck[] {
  if (domains.length === 0) return [];
  const domain = nearestDomain(domains, sender);
  return [
    [
      "return_mx",
      `Bounces to ${domain}`,
      checkReturnMx(resolver, { domain, hostname, addresses }),
    ],
    ["return_spf", `SPF of ${domain}`, checkSpf(resolver, { domain, addresses })],
  ];
}

/** Domains that the relay's configuration names, and the one above its own name. */
function suggestedDomains({ hostname, relay, dkim }: PreflightConfig): string[] {
  const labels = hostname.toLowerCase().split(".");
  const own = labels.length > 2 ? labels.slice(1).join(".") : labels.join(".");
  const named = relay.domains.map((domain) => domain.replace(/^\*\./, ""));
  const signing = dkim.map(({ domain }) => domain);
  return [...new Set([own, ...named, ...signing])].filter((domain) =>
    domain.includes(".") && parseIp(domain) === null
  );
}

/** Where the relay is seen to send from, as far as its own name tells. */
async function publicAddresses(resolver: Resolver, hostname: string): Promise<string[]> {
  const known = recordsOf(await resolver.addresses(hostname));
  return known.map(({ address }) => address).filter((address) => !isInNetworks(address, PRIVATE));
}
