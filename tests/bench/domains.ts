/** A thousand domains with exchangers on loopback, and senders to all of them. */
import { PlainClient } from "../support/plain_client.ts";
import { type DnsServer, startDnsServer } from "../support/dns_server.ts";

/** Resolvers of the system ask port 53 alone, so the DNS has an address of its own. */
export const DNS_ADDRESS = "127.53.53.53";
const DNS_PORT = 53;

/** The domains, `d0.test` and so on. */
export function domainNames(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `d${number}.test`);
}

/** Starts a DNS in which each domain has an exchanger of its own at the address `addressOf` it. */
export async function startDomains(
  domains: readonly string[],
  addressOf: (domain: string) => string = () => "127.0.0.1",
): Promise<DnsServer> {
  const dns = await startDnsServer({ hostname: DNS_ADDRESS, port: DNS_PORT });
  for (const domain of domains) {
    dns.add(domain, "MX", [{ preference: 10, exchange: `mx.${domain}` }]);
    dns.add(`mx.${domain}`, "A", [addressOf(domain)]);
  }
  return dns;
}

/** Sends messages over some sessions, each to the next of the domains in turn. */
export async function sendToDomains(
  { port, domains, messages, sessions, data }: {
    port: number;
    domains: readonly string[];
    messages: number;
    sessions: number;
    data: Uint8Array;
  },
): Promise<void> {
  let next = 0;
  const send = async (): Promise<void> => {
    using client = await PlainClient.greet(port);
    while (next < messages) {
      const to = `user@${domains[next++ % domains.length]}`;
      await sendPipelined(client, { to, data });
    }
  };
  await Promise.all(Array.from({ length: sessions }, send));
}

/** One message in two writes: the commands up to DATA in a group (RFC 2920), then the rest. */
export async function sendPipelined(
  client: PlainClient,
  { to, data }: { to: string; data: Uint8Array },
): Promise<void> {
  const group = `MAIL FROM:<sender@source.test>\r\nRCPT TO:<${to}>\r\nDATA\r\n`;
  await client.write(new TextEncoder().encode(group));
  for (const code of [250, 250, 354]) await expectReply(client, code);
  await client.write(data);
  await expectReply(client, 250);
}

async function expectReply(client: PlainClient, code: number): Promise<void> {
  const reply = await client.readReply();
  if (reply.code !== code) throw new Error(`refused: ${reply.code} ${reply.lines.join(" ")}`);
}
