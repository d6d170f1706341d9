/** The public test suite of SPF (RFC 7208). Each scenario has a zone of its own. */
import { assert } from "@std/assert";
import { evaluateSpf, type SpfResolver } from "../../src/authentication/spf.ts";
import { parseIp } from "../../src/base/ip.ts";
import type { DnsResult, MxRecord } from "../../src/net/resolver.ts";
import { readSuite } from "../support/suites.ts";

interface SuiteTest {
  readonly helo: string;
  readonly host: string;
  readonly mailfrom: string;
  readonly result: string | readonly string[];
  readonly explanation?: string;
}

/** A record as `TYPE: data`; a name with `TIMEOUT` has no answer for types that are not listed. */
type ZoneEntry = "TIMEOUT" | Readonly<Record<string, unknown>>;

interface Scenario {
  readonly description: string;
  readonly tests: Readonly<Record<string, SuiteTest>>;
  readonly zonedata: Readonly<Record<string, readonly ZoneEntry[]>>;
}

const MAX_ALIASES = 8;
const DEFAULT_EXPLANATION = "DEFAULT";
const facts = { ttlMs: 1000, authentic: false } as const;

/** A DNS with the records of a scenario. `SPF` stands for TXT where a name has no TXT. */
class Zone implements SpfResolver {
  readonly #names: ReadonlyMap<string, readonly ZoneEntry[]>;

  constructor({ zonedata }: Scenario) {
    this.#names = new Map(
      Object.entries(zonedata).map(([name, entries]) => [name.toLowerCase(), entries]),
    );
  }

  txt(name: string): Promise<DnsResult<string>> {
    const own = this.#entriesOf(name)?.some((entry) => entry !== "TIMEOUT" && "TXT" in entry);
    return this.#answer(name, own === true ? "TXT" : "SPF", (value) => {
      const strings = Array.isArray(value) ? value : [value];
      return value === "NONE" ? [] : [strings.join("")];
    });
  }

  a(name: string): Promise<DnsResult<string>> {
    return this.#answer(name, "A", (value) => [String(value)]);
  }

  aaaa(name: string): Promise<DnsResult<string>> {
    return this.#answer(name, "AAAA", (value) => [String(value)]);
  }

  mx(name: string): Promise<DnsResult<MxRecord>> {
    return this.#answer(name, "MX", (value) => {
      const [preference, exchange] = value as [number, string];
      return [{ preference, exchange }];
    });
  }

  ptr(address: string): Promise<DnsResult<string>> {
    const octets = parseIp(address) ?? new Uint8Array();
    const labels = octets.length === 4 ? [...octets].map(String) : [...octets.toHex()];
    const zone = octets.length === 4 ? "in-addr.arpa" : "ip6.arpa";
    return this.#answer(`${labels.reverse().join(".")}.${zone}`, "PTR", (value) => [String(value)]);
  }

  /** Those of the name that aliases lead to; a chain without an end is a failure. */
  #entriesOf(name: string, hops = 0): readonly ZoneEntry[] | undefined {
    if (hops > MAX_ALIASES) return ["TIMEOUT"];
    const entries = this.#names.get(name.toLowerCase().replace(/\.$/, ""));
    const alias = entries?.find((entry) => entry !== "TIMEOUT" && "CNAME" in entry);
    if (alias === undefined) return entries;
    return this.#entriesOf(String(Object.values(alias)[0]), hops + 1);
  }

  #answer<Data>(
    name: string,
    type: string,
    read: (value: unknown) => readonly Data[],
  ): Promise<DnsResult<Data>> {
    const entries = this.#entriesOf(name);
    const isPossible = name.replace(/\.$/, "").split(".").every((label) => label.length < 64);
    if (entries === undefined || !isPossible) {
      return Promise.resolve({ kind: "nonexistent", ...facts });
    }
    const records = entries.flatMap((entry) =>
      entry !== "TIMEOUT" && type in entry ? read(entry[type]) : []
    );
    if (records.length === 0) {
      return Promise.resolve(
        entries.includes("TIMEOUT")
          ? { kind: "temporary", reason: "timeout" }
          : { kind: "none", ...facts },
      );
    }
    return Promise.resolve({ kind: "found", records, canonicalName: name, ...facts });
  }
}

async function evaluated(scenario: Scenario, { helo, host, mailfrom }: SuiteTest) {
  const sender = mailfrom === "" ? `postmaster@${helo}` : mailfrom;
  const domain = sender.slice(sender.lastIndexOf("@") + 1);
  return await evaluateSpf(new Zone(scenario), { domain, address: host, sender, helo });
}

const suite = await readSuite<Scenario>("rfc7208-tests.yml");
const scenarios = suite ?? [];

Deno.test({
  name: "the suite of RFC 7208 is beside the project, or where POSTHOUSE_SUITES names",
  ignore: suite === null,
  fn() {
    assert(scenarios.flatMap(({ tests }) => Object.keys(tests)).length >= 203);
  },
});

for (const scenario of scenarios) {
  for (const [name, test] of Object.entries(scenario.tests)) {
    Deno.test(`RFC 7208 suite: ${scenario.description}: ${name}`, async () => {
      const { result, reason, explanation } = await evaluated(scenario, test);
      assert([test.result].flat().includes(result), `${result} (${reason}), not ${test.result}`);
      if (test.explanation === undefined) return;
      const shown = result === "fail" ? explanation ?? DEFAULT_EXPLANATION : undefined;
      assert(shown === test.explanation, `"${shown}", not "${test.explanation}"`);
    });
  }
}
