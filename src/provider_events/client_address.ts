import { parseIp } from "../base/ip.ts";
import { isInNetworks, type Network } from "../policy/network.ts";

/**
 * The address that a request comes from. What a proxy of ours says of it is believed, and of that
 * only what the proxy itself has seen: the last address in X-Forwarded-For.
 */
export function clientAddress(
  headers: Headers,
  { peer, proxies }: { peer: string; proxies: readonly Network[] },
): string {
  if (!isInNetworks(peer, proxies)) return peer;
  const last = headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
  return parseIp(last) === null ? peer : last;
}
