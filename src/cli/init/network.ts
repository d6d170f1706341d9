import { parseIp } from "../../base/ip.ts";
import { systemClock } from "../../base/clock.ts";
import { type HostPort, parseHostPort } from "../../config/fields.ts";
import type { Config } from "../../config/schema.ts";
import type { TransportConfig } from "../../config/sections/transports.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { createRelay } from "../../relay/mod.ts";

const DNS_PORT = 53;

/** A place as `--allow-net` takes it, or null for one that cannot be known before. */
type Place = string | null;

/**
 * The places that a relay with this config listens at and connects to, as `--allow-net` takes
 * them; null when they cannot be named: `mx` and names of servers lead to any address, since the
 * relay looks them up itself, and so do rules that look into the DNS.
 */
export function networkPlaces(config: Config): string[] | null {
  const { listeners, admin, dns, webhooks, auth } = config;
  if (asksDns(config)) return null;
  const listened = [
    ...listeners,
    ...admin.enabled && admin.socket === null ? [admin] : [],
  ].map(({ address, port }) => listenPlace(address, port));
  const places: Place[] = [
    ...listened,
    ...usedTransports(config).flatMap(transportPlaces),
    ...webhooks.map(({ url }) => urlPlace(url)),
    ...auth.oauth === null ? [] : [urlPlace(auth.oauth.url)],
    ...dns.servers.flatMap(serverPlaces),
  ];
  return places.includes(null) ? null : [...new Set(places.filter((place) => place !== null))];
}

/** Whether rules beside the transports look names up, or connect where others tell them to. */
function asksDns({ dkim, arc, shaping, providerEvents }: Config): boolean {
  return dkim.length > 0 || arc !== null || shaping.length > 0 || providerEvents.sources.length > 0;
}

/** The transports that a route names; of others nothing is ever asked. */
function usedTransports({ transports, routes }: Config): (readonly [string, TransportConfig])[] {
  const names = new Set(routes.flatMap((route) => route.transports));
  return Object.entries(transports).filter(([name]) => names.has(name));
}

function transportPlaces([name, transport]: readonly [string, TransportConfig]): Place[] {
  if (transport.proxy !== null) return [null];
  switch (transport.type) {
    case "mx":
      return [null];
    case "smarthost":
      return transport.hosts.length === 0 ? [null] : transport.hosts.map(serverPlace);
    case "lmtp":
      return transport.servers.flatMap((server) => "path" in server ? [] : [serverPlace(server)]);
    // They fetch tokens from hosts of their own.
    case "graph":
    case "gmail":
      return [null];
    default: {
      const table = transport.provider;
      const services = { name, fetch, clock: systemClock };
      const made = createRelay({ type: transport.type, table }, services);
      return [made.kind === "created" ? made.transport.sharedDestination ?? null : null];
    }
  }
}

/** A name server, and the port from which it is asked. */
function serverPlaces(server: string): Place[] {
  const place = parseHostPort(server, { defaultPort: DNS_PORT });
  if (place === null) return [null];
  return [serverPlace(place), place.host.includes(":") ? "[::]:0" : "0.0.0.0:0"];
}

/** Only addresses can be named: the relay looks names up itself. */
function serverPlace({ host, port }: HostPort): Place {
  return parseIp(host) === null ? null : formatEndpoint({ address: host, port });
}

function listenPlace(address: string, port: number): string {
  // A port that the system chooses cannot be named.
  return port === 0 ? address : formatEndpoint({ address, port });
}

function urlPlace(url: string): Place {
  return URL.parse(url)?.host ?? null;
}
