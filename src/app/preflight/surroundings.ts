/** Checks of the relay's own place on the network. */
import { recordsOf } from "../../authentication/records.ts";
import type { Clock } from "../../base/clock.ts";
import type { dial } from "../../net/dial.ts";
import type { Resolver } from "../../net/resolver.ts";
import { fail, type Finding, pass, unanswered, unknown, warning } from "./check.ts";

/** Whether the relay's addresses are named, and named as the relay names itself. */
export async function checkReverseDns(
  resolver: Pick<Resolver, "ptr" | "addresses">,
  { hostname, addresses }: { hostname: string; addresses: readonly string[] },
): Promise<Finding> {
  if (addresses.length === 0) {
    return unknown(`${hostname} has no public address to look up.`);
  }
  const answers = await Promise.all(addresses.map(async (address) => {
    const result = await resolver.ptr(address);
    return { address, result, names: recordsOf(result) };
  }));
  const records = answers.filter(({ names }) => !names.includes(hostname))
    .map(({ address }) => ({ name: reverseName(address), type: "PTR" as const, value: hostname }));
  const found = answers.flatMap(({ address, names }) =>
    names.map((name) => `${address} is ${name}`)
  );
  const advice = "Ask the provider of the address to set its reverse DNS name.";
  if (answers.some(({ result }) => result.kind === "temporary")) return unanswered("the address");
  const nameless = answers.filter(({ names }) => names.length === 0);
  if (nameless.length > 0) {
    const which = nameless.map(({ address }) => address).join(" and ");
    return fail({
      detail: `${which} has no reverse DNS name; many receivers refuse it.`,
      found,
      advice,
      records,
    });
  }
  if (records.length === 0) return pass(`Forward and reverse name are ${hostname}.`, found);
  const isConfirmed = await Promise.all(
    answers.map(({ address, names }) => hasAddress(resolver, { names, address })),
  );
  const detail = isConfirmed.every(Boolean)
    ? `The name is not ${hostname}, the HELO name of the relay.`
    : "The name does not resolve to the address.";
  return warning({ detail, found, advice, records });
}

async function hasAddress(
  resolver: Pick<Resolver, "addresses">,
  { names, address }: { names: readonly string[]; address: string },
): Promise<boolean> {
  for (const name of names) {
    const known = recordsOf(await resolver.addresses(name));
    if (known.some((one) => one.address === address)) return true;
  }
  return false;
}

function reverseName(address: string): string {
  return address.includes(":")
    ? `the ip6.arpa name of ${address}`
    : `${address.split(".").reverse().join(".")}.in-addr.arpa`;
}

export interface Port25Parts {
  readonly resolver: Pick<Resolver, "mx" | "addresses">;
  readonly dial: typeof dial;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The port to try; 25 but in tests. */
  readonly port: number;
}

const DIAL_TIMEOUT_MS = 8_000;

/** Whether the network lets SMTP out, tried at the domain's own mail servers. */
export async function checkPort25(
  { resolver, dial, clock, signal, port }: Port25Parts,
  { domain }: { domain: string },
): Promise<Finding> {
  const mx = await resolver.mx(domain);
  if (mx.kind === "temporary") return unanswered(domain);
  const [first] = recordsOf(mx);
  if (first === undefined || first.exchange === "") {
    return unknown(`${domain} has no mail server to connect to.`);
  }
  const hosts = recordsOf(await resolver.addresses(first.exchange));
  const [host] = hosts.filter(({ family }) => family === 4).concat(hosts);
  if (host === undefined) return unknown(`${first.exchange} has no address.`);
  const place = `${first.exchange}[${host.address}]:${port}`;
  const options = { timeoutMs: DIAL_TIMEOUT_MS, signal, clock };
  const result = await dial({ address: host.address, port }, options);
  if (result.kind === "connected") {
    result.conn.close();
    return pass(`${place} is reachable.`, []);
  }
  if (result.kind === "aborted") return unknown("The time limit was reached.");
  return fail({
    detail: `${place} is not reachable: ${result.reason}`,
    advice: "Many cloud providers block outgoing port 25. Ask them to open it, or send through a " +
      "smarthost on port 587 or a provider's HTTP API.",
  });
}
