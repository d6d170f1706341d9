import { nearest } from "../base/suggest.ts";
import { bounceFindings } from "./bounce_checks.ts";
import { reachFindings } from "./reach.ts";
import { isTable } from "./references.ts";
import type { Path } from "./toml.ts";

/** A mistake that only shows when values are seen together. */
export interface Finding {
  readonly path: Path;
  readonly expected: string;
  /** Absent means the value at `path`. */
  readonly got?: string;
  readonly suggestion?: string;
}

type Table = Readonly<Record<string, unknown>>;

/**
 * Checks across sections. It takes the document as written, so that its findings stand beside
 * those of the schema; values of the wrong kind are the schema's to report and skipped here.
 */
export function crossCheck(root: Table): Finding[] {
  return [
    ...listenerFindings(root),
    ...transportFindings(root),
    ...routeFindings(root),
    ...shapingFindings(root),
    ...bounceFindings(root),
    ...arcFindings(root),
    ...providerEventsFindings(root),
    ...reachFindings(root),
  ];
}

function* listenerFindings(root: Table): Iterable<Finding> {
  const names = new Set<string>();
  const places = new Set<string>();
  for (const [index, listener] of tablesOf(root["listeners"])) {
    const { name, address = "127.0.0.1", port } = listener;
    if (typeof name === "string") {
      const path = ["listeners", index, "name"];
      if (names.has(name)) yield { path, expected: "a name that no other listener has" };
      names.add(name);
    }
    yield* listenerTlsFindings(root, { index, listener });
    if (typeof port !== "number" || port === 0) continue;
    const place = `${String(address)} port ${port}`;
    if (places.has(place)) {
      const path = ["listeners", index, "port"];
      yield { path, expected: "an address and port that no other listener has", got: place };
    }
    places.add(place);
  }
}

function* listenerTlsFindings(
  { tls }: Table,
  { index, listener }: { index: number; listener: Table },
): Iterable<Finding> {
  const mode = listener["tls"];
  const certificates = isTable(tls) ? tls["certificates"] : undefined;
  const hasCertificates = Array.isArray(certificates) && certificates.length > 0;
  if (hasCertificates || mode === undefined || mode === "none") return;
  const expected = 'at least one certificate in tls.certificates, or tls = "none"';
  yield { path: ["listeners", index, "tls"], expected };
}

function* transportFindings(root: Table): Iterable<Finding> {
  const { transports, routes } = root;
  if (!isTable(transports)) return;
  const { length } = Object.keys(transports);
  if (length === 0) {
    yield { path: ["transports"], expected: "at least one [transports.NAME] table" };
  }
  if (length > 1 && routes === undefined) {
    const expected = "at least one [[routes]] table, because there are several transports";
    yield { path: ["routes"], expected };
  }
  for (const [name, transport] of Object.entries(transports)) {
    if (isTable(transport)) yield* transportFindingsOf(["transports", name], transport);
  }
}

function* transportFindingsOf(path: Path, transport: Table): Iterable<Finding> {
  const { type, hosts, srv } = transport;
  const hasHosts = Array.isArray(hosts) ? hosts.length > 0 : hosts !== undefined;
  if (type === "smarthost" && hasHosts === (srv !== undefined)) {
    const got = hasHosts ? "both" : "neither";
    yield { path: [...path, "hosts"], expected: "at least one host, or srv", got };
  }
  yield* tlsFindings(path, transport);
  for (const [index, override] of tablesOf(transport["tls_overrides"])) {
    yield* tlsFindings([...path, "tls_overrides", index], override);
  }
}

function* tlsFindings(path: Path, rule: Table): Iterable<Finding> {
  if (rule["tls"] === "fingerprint" && rule["tls_fingerprints"] === undefined) {
    yield { path: [...path, "tls_fingerprints"], expected: "a list of at least one fingerprint" };
  }
  if ((rule["tls_certificate"] === undefined) !== (rule["tls_key"] === undefined)) {
    const missing = rule["tls_key"] === undefined ? "tls_key" : "tls_certificate";
    yield { path: [...path, missing], expected: "both a certificate and its key, or neither" };
  }
}

function* routeFindings(root: Table): Iterable<Finding> {
  const { transports = { mx: {} } } = root;
  const transportNames = isTable(transports) ? Object.keys(transports) : [];
  const listenerNames = [...namesOfListeners(root["listeners"]), "local"];
  let catchAll: number | null = null;
  yield* treatmentFindings(["delivery"], isTable(root["delivery"]) ? root["delivery"] : {});
  for (const [index, route] of tablesOf(root["routes"])) {
    yield* wayFindings(["routes", index], route);
    yield* unknownNames(["routes", index, "transports"], {
      used: route["transports"],
      known: transportNames,
      expected: "the name of a transport",
    });
    const match = isTable(route["match"]) ? route["match"] : {};
    yield* unknownNames(["routes", index, "match", "listener"], {
      used: match["listener"],
      known: listenerNames,
      expected: "the name of a listener",
    });
    if (catchAll !== null) {
      const expected = `a position before routes[${catchAll}], which matches every message`;
      yield { path: ["routes", index], expected, got: "a route that is never reached" };
    } else if (Object.keys(match).length === 0) catchAll = index;
  }
}

function* shapingFindings(root: Table): Iterable<Finding> {
  const { transports = { mx: {} }, routes } = root;
  const routeNames = routes === undefined
    ? ["default"]
    : [...tablesOf(routes)].map(([index, { name }]) =>
      typeof name === "string" ? name : `route-${index + 1}`
    );
  const names = new Set<string>();
  for (const [index, rule] of tablesOf(root["shaping"])) {
    const { name = `shaping-${index + 1}` } = rule;
    if (typeof name === "string" && names.has(name)) {
      const path = ["shaping", index, "name"];
      yield { path, expected: "a name that no other rule has", got: name };
    }
    if (typeof name === "string") names.add(name);
    yield* unknownNames(["shaping", index, "transport"], {
      used: rule["transport"],
      known: isTable(transports) ? Object.keys(transports) : [],
      expected: "the name of a transport",
    });
    yield* unknownNames(["shaping", index, "route"], {
      used: rule["route"],
      known: routeNames,
      expected: "the name of a route",
    });
  }
}

function* arcFindings({ arc, listeners }: Table): Iterable<Finding> {
  if (!isTable(arc)) return;
  yield* unknownNames(["arc", "listeners"], {
    used: arc["listeners"],
    known: [...namesOfListeners(listeners), "http"],
    expected: "the name of a listener",
  });
}

function* providerEventsFindings({ provider_events: events }: Table): Iterable<Finding> {
  if (isTable(events)) yield* tlsFindings(["provider_events"], events);
  const names = new Set<unknown>();
  for (const [index, { name }] of tablesOf(isTable(events) ? events["sources"] : undefined)) {
    const path = ["provider_events", "sources", index, "name"];
    if (names.has(name)) yield { path, expected: "a name that no other source has" };
    if (name !== undefined) names.add(name);
  }
}

function* wayFindings(path: Path, route: Table): Iterable<Finding> {
  const { transports = [], weights, mode, allow } = route;
  yield* treatmentFindings(path, route);
  if (!Array.isArray(transports)) return;
  const rests = (mode === "hold" || mode === "capture") && allow === undefined;
  if (transports.length === 0 && !rests) {
    const got = route["transports"] === undefined ? "nothing" : "an empty list";
    yield { path: [...path, "transports"], expected: "a list of at least one transport", got };
  }
  if (Array.isArray(weights) && weights.length !== transports.length) {
    const expected = `one weight for each of ${transports.length} transports`;
    yield { path: [...path, "weights"], expected, got: String(weights.length) };
  }
}

function* treatmentFindings(path: Path, { mode, redirect }: Table): Iterable<Finding> {
  if (redirect !== undefined && mode !== undefined && mode !== "redirect") {
    yield { path: [...path, "mode"], expected: `"redirect", because redirect is set` };
  }
  if (redirect === undefined && mode === "redirect") {
    yield { path: [...path, "redirect"], expected: "the mail address that gets all mail" };
  }
}

function* unknownNames(
  path: Path,
  { used, known, expected }: { used: unknown; known: readonly string[]; expected: string },
): Iterable<Finding> {
  if (!Array.isArray(used)) return;
  for (const [index, name] of used.entries()) {
    if (typeof name !== "string" || known.includes(name)) continue;
    const suggestion = nearest(name, known);
    yield {
      path: [...path, index],
      expected: `${expected} (${known.join(", ")})`,
      ...(suggestion === null ? {} : { suggestion }),
    };
  }
}

function namesOfListeners(listeners: unknown): string[] {
  if (listeners === undefined) return ["smtp"];
  return [...tablesOf(listeners)].map(([, { name }]) => name).filter((name) =>
    typeof name === "string"
  );
}

function* tablesOf(value: unknown): Iterable<[number, Table]> {
  if (!Array.isArray(value)) return;
  for (const [index, element] of value.entries()) if (isTable(element)) yield [index, element];
}
