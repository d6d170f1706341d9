/** Checks of the domain that return addresses are in. */
import { recordsOf } from "../../authentication/records.ts";
import type { Resolver } from "../../net/resolver.ts";
import { fail, type Finding, pass, unanswered, warning } from "./check.ts";

/** Whether what comes back finds its way to the relay (RFC 5321 5.1). */
export async function checkReturnMx(
  resolver: Pick<Resolver, "mx" | "addresses">,
  { domain, hostname, addresses }: {
    /** The domain of the return addresses. */
    domain: string;
    hostname: string;
    /** Where the relay is, as far as its name tells. */
    addresses: readonly string[];
  },
): Promise<Finding> {
  const result = await resolver.mx(domain);
  if (result.kind === "temporary") return unanswered(domain);
  const exchanges = recordsOf(result).map(({ exchange }) => exchange.toLowerCase());
  const records = [{ name: domain, type: "MX" as const, value: `10 ${hostname}` }];
  if (exchanges.length === 0) {
    const detail = `${domain} has no MX record, so bounces do not reach the relay.`;
    return fail({ detail, advice: "Add this record.", records });
  }
  if (exchanges.includes(hostname.toLowerCase())) return pass("The MX is the relay.", exchanges);
  const places = await Promise.all(exchanges.map((exchange) => resolver.addresses(exchange)));
  const isHere = places.flatMap((place) => recordsOf(place))
    .some(({ address }) => addresses.includes(address));
  if (isHere) return pass("The MX is an address of the relay.", exchanges);
  return warning({
    detail: `Bounces go to ${exchanges.join(" and ")}, which has no address of ${hostname}.`,
    advice: "Replace the record by this one, unless that host forwards them to the relay.",
    found: exchanges,
    records,
  });
}
