import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/base/ip.ts";
import { DomainSet, isDomainPattern } from "../../src/policy/domain_set.ts";
import { inNetworks, parseNetwork } from "../../src/policy/network.ts";

const MATCHES: readonly [network: string, address: string, isIn: boolean][] = [
  ["192.0.2.0/24", "192.0.2.255", true],
  ["192.0.2.0/24", "192.0.3.0", false],
  ["192.0.2.128/25", "192.0.2.127", false],
  ["192.0.2.128/25", "192.0.2.128", true],
  ["10.0.0.0/8", "10.255.0.1", true],
  ["172.16.0.0/12", "172.31.255.255", true],
  ["172.16.0.0/12", "172.32.0.0", false],
  ["192.0.2.1", "192.0.2.1", true],
  ["192.0.2.1", "192.0.2.2", false],
  ["0.0.0.0/0", "203.0.113.9", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["::/0", "203.0.113.9", false],
  ["192.0.2.0/24", "::ffff:192.0.2.7", true],
  ["::ffff:192.0.2.7", "192.0.2.7", true],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["2001:db8::/33", "2001:db8:8000::1", false],
  ["[::1]", "::1", true],
  ["fe80::/10", "fe80::1%eth0", true],
];

for (const [text, address, isIn] of MATCHES) {
  Deno.test(`network: ${address} is ${isIn ? "" : "not "}in ${text}`, () => {
    const result = parseNetwork(text);
    const octets = parseIp(address) ?? new Uint8Array();
    assertEquals(result.kind === "ok" && inNetworks(octets, [result.network]), isIn);
  });
}

const BAD = ["", "example.com", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1"];

for (const text of [...BAD, "192.0.2.1/24", "2001:db8::1/64", "192.0.2.0/24/8"]) {
  Deno.test(`network: refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseNetwork(text).kind, "error");
  });
}

Deno.test("domain set: names are exact, patterns mean what is below", () => {
  const set = new DomainSet(["example.com", "*.Example.net", "BÜCHER.example"]);
  const isIn = (domain: string) => set.has(domain);
  const inside = ["example.com", "a.example.net", "a.b.example.net", "xn--bcher-kva.example"];
  const outside = ["example.net", "a.example.com", "xexample.com", "aexample.net", "com", ""];
  assertEquals(inside.filter(isIn), inside);
  assertEquals(outside.filter(isIn), []);
});

Deno.test("domain set: knows its patterns", () => {
  assertEquals(["example.com", "*.example.com", "bücher.example"].every(isDomainPattern), true);
  assertEquals(["", "*", "*.", "a b", "[192.0.2.1]", "*.*.a", "a@b"].some(isDomainPattern), false);
});
