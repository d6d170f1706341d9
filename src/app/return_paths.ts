import type { Config } from "../config/schema.ts";
import type { Transport } from "../delivery/transport.ts";
import { ReturnAddresses } from "../feedback/return_address.ts";
import { ReturnPathTransport } from "../feedback/return_path_transport.ts";
import { fitsWildcard } from "../policy/wildcard.ts";

/** LMTP delivers to mailboxes, from where little comes back: only where it is named. */
const USUAL_TYPES: readonly string[] = ["mx", "smarthost"];

/** What makes and recognizes the return addresses of a configuration; null where it has none. */
export function returnAddresses({ bounces }: Config): ReturnAddresses | null {
  const { domains, key, oldKey, addressLifetimeMs } = bounces;
  if (domains.length === 0) return null;
  return new ReturnAddresses({ domains, key, oldKey, lifetimeMs: addressLifetimeMs });
}

/** What a transport's return paths depend on; null where its mail leaves from its senders. */
export function returnPathSettings({ bounces, transports }: Config, name: string): unknown {
  const { domains, key, senders } = bounces;
  const isNamed = bounces.transports?.includes(name) ??
    USUAL_TYPES.includes(transports[name]?.type ?? "");
  return domains.length === 0 || !isNamed ? null : { domains, key, senders };
}

/** The transport as the configuration wants its return paths. */
export function withReturnPaths(transport: Transport, config: Config): Transport {
  const addresses = returnAddresses(config);
  if (addresses === null || returnPathSettings(config, transport.name) === null) return transport;
  return new ReturnPathTransport(transport, { addresses, fits: senderFits(config) });
}

/** Whether mail from a sender leaves from a return address of its own by a transport. */
export function leavesFromReturnAddress(
  reversePath: string,
  { config, transport }: { config: Config; transport: string },
): boolean {
  return reversePath !== "" && returnPathSettings(config, transport) !== null &&
    senderFits(config)(reversePath);
}

function senderFits({ bounces: { senders } }: Config): (reversePath: string) => boolean {
  const patterns = senders.map((pattern) => pattern.toLowerCase());
  return (reversePath) =>
    patterns.length === 0 ||
    patterns.some((pattern) => fitsWildcard(pattern, reversePath.toLowerCase()));
}
