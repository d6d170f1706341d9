/** Who can reach what: settings that cannot work, and those that are unwise where others reach them. */
import { isPublicAddress, parseIp } from "../base/ip.ts";
import type { Finding } from "./cross_checks.ts";
import { parseHostPort } from "./fields.ts";
import { isTable } from "./references.ts";
import type { ConfigDocument } from "./schema.ts";
import type { Path } from "./toml.ts";

type Table = Readonly<Record<string, unknown>>;

/** A setting that works, and that few want. */
export interface Advice {
  readonly path: Path;
  /** What can happen, and what to do about it. */
  readonly message: string;
}

/** RFC 8314 section 3.3: clients begin with a TLS handshake there. */
const SUBMISSIONS_PORT = 465;
/** Public networks with shorter prefixes hold more than one site has. */
const SHORTEST_PREFIX = { ipv4: 9, ipv6: 20 };

/** Settings of listeners and transports with which no client or server gets through. */
export function* reachFindings(root: Table): Iterable<Finding> {
  const { listeners, tls, transports } = root;
  const hasCertificates = isTable(tls) && Array.isArray(tls["certificates"]) &&
    tls["certificates"].length > 0;
  const own = Array.isArray(listeners) ? listeners.filter(isTable) : [];
  for (const [index, listener] of own.entries()) {
    const path = ["listeners", index];
    const mode = listener["tls"] ?? (hasCertificates ? "starttls" : "none");
    const isPlain = mode === "none" && listener["auth_without_tls"] !== true;
    if (listener["auth"] === "required" && isPlain) {
      const expected = `tls, or auth_without_tls = true: AUTH is not offered without TLS`;
      yield { path: [...path, "auth"], expected, got: `"required" without TLS` };
    }
    const isForwarded = Array.isArray(listener["proxy_protocol"]);
    if (listener["port"] === SUBMISSIONS_PORT && mode !== "implicit" && !isForwarded) {
      const expected = `"implicit", because clients begin with TLS on port ${SUBMISSIONS_PORT}`;
      yield { path: [...path, "tls"], expected, got: JSON.stringify(mode) };
    }
  }
  if (!isTable(transports)) return;
  const listening = Array.isArray(listeners) ? own : [{ address: "127.0.0.1", port: 2525 }];
  for (const [name, transport] of Object.entries(transports)) {
    if (!isTable(transport)) continue;
    yield* hostFindings(["transports", name], { transport, listening, root });
  }
}

function* hostFindings(
  path: Path,
  { transport, listening, root: { hostname } }: {
    transport: Table;
    listening: readonly Table[];
    root: Table;
  },
): Iterable<Finding> {
  const { type, hosts, tls, tls_implicit: implicit, auth } = transport;
  if (isTable(auth) && tls === "none" && auth["allow_plain"] !== true) {
    const expected = "a level with TLS, or auth.allow_plain = true";
    yield { path: [...path, "tls"], expected, got: `"none" with a login` };
  }
  if (type !== "smarthost" || !Array.isArray(hosts)) return;
  const isImplicit = tls === "implicit" || implicit === true;
  for (const [index, text] of hosts.entries()) {
    const server = typeof text === "string"
      ? parseHostPort(text, { defaultPort: isImplicit ? SUBMISSIONS_PORT : 25 })
      : null;
    if (server === null) continue;
    if (server.port === SUBMISSIONS_PORT && !isImplicit) {
      const expected = `tls = "implicit", because servers begin with TLS on port 465`;
      yield { path: [...path, "hosts", index], expected };
    }
    if (listening.some((listener) => isOwn(listener, { ...server, hostname }))) {
      const expected = "another server than this relay, which would send everything to itself";
      yield { path: [...path, "hosts", index], expected };
    }
  }
}

/** Whether a host and port are those of a listener. */
function isOwn(
  { address = "127.0.0.1", port }: Table,
  server: { host: string; port: number; hostname: unknown },
): boolean {
  if (port !== server.port || typeof address !== "string") return false;
  const host = server.host.toLowerCase();
  const isAny = address === "0.0.0.0" || address === "::";
  const isLoopbackHost = host === "localhost" || isLoopback(host);
  if (isLoopbackHost) return isAny || isLoopback(address);
  return host === address || (host === server.hostname && !isLoopback(address));
}

/** What a complete configuration lets others do that few want. */
export function* adviceOn(doc: ConfigDocument): Iterable<Advice> {
  const { listeners, relay, transports } = doc;
  const open = listeners.findIndex(({ address, auth }) =>
    !isLoopback(address) && auth !== "required"
  );
  if (open >= 0) {
    const { name, address, port } = listeners[open] ?? {};
    const where = `Clients of listener ${name} (${address} port ${port})`;
    for (const [index, network] of relay.networks.entries()) {
      if (!isWide(network)) continue;
      const message = `${where} in ${network} may send to any domain without a login: an open ` +
        `relay. List your own networks, or set auth = "required" on the listener.`;
      yield { path: ["relay", "networks", index], message };
    }
    const everything = relay.domains.indexOf("*");
    if (everything >= 0) {
      const message = `${where} may send to any domain without a login: an open relay. List ` +
        `your own domains, or set auth = "required" on the listener.`;
      yield { path: ["relay", "domains", everything], message };
    }
  }
  for (const [index, listener] of listeners.entries()) {
    if (!listener.auth_without_tls || isLoopback(listener.address)) continue;
    const message = `Passwords can be read on the network, because AUTH is offered without TLS. ` +
      `Set up tls.certificates and remove auth_without_tls.`;
    yield { path: ["listeners", index, "auth_without_tls"], message };
  }
  for (const [name, transport] of Object.entries(transports)) {
    if (!("auth" in transport) || transport.auth?.allow_plain !== true) continue;
    if (isOnThisMachine(transport)) continue;
    const message = `The login may be read on the network, because it may be sent without TLS. ` +
      `Remove allow_plain, or use a server that offers TLS.`;
    yield { path: ["transports", name, "auth", "allow_plain"], message };
  }
}

function isOnThisMachine(transport: object): boolean {
  const hosts = "hosts" in transport ? transport.hosts : undefined;
  return Array.isArray(hosts) && hosts.length > 0 && hosts.every((text) => {
    const server = parseHostPort(String(text), { defaultPort: 25 });
    return server !== null && (server.host === "localhost" || isLoopback(server.host));
  });
}

/** Whether a network holds more than one site has, and public addresses among them. */
function isWide(network: string): boolean {
  const [address = "", prefix] = network.split("/");
  const octets = parseIp(address);
  if (octets === null || prefix === undefined) return false;
  const shortest = octets.length === 4 ? SHORTEST_PREFIX.ipv4 : SHORTEST_PREFIX.ipv6;
  return prefix === "0" || (Number(prefix) < shortest && isPublicAddress(address));
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
