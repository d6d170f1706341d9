import { assertEquals } from "@std/assert";
import { parseIp } from "../../src/base/ip.ts";
import { DomainSet, isDomainPattern } from "../../src/policy/domain_set.ts";
import { inNetworks, isInNetworks, parseNetwork } from "../../src/policy/network.ts";

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

const REASONS: readonly [text: string, reason: string][] = [
  ["example.com/8", `expected an IP address, got "example.com"`],
  ["192.0.2.0/33", "expected a prefix of 0 to 32 bits"],
  ["::/129", "expected a prefix of 0 to 128 bits"],
  ["192.0.2.1/24", "the address has bits set after the first 24"],
  ["10.0.0.128/24", "the address has bits set after the first 24"],
  ["10.0.0.3/31", "the address has bits set after the first 31"],
];

for (const [text, reason] of REASONS) {
  Deno.test(`network: says what is wrong with ${text}`, () => {
    assertEquals(parseNetwork(text), { kind: "error", reason });
  });
}

Deno.test("network: an address alone is all of its bits", () => {
  assertEquals(widthOf("192.0.2.1"), 32);
  assertEquals(widthOf("2001:db8::1"), 128);
  assertEquals(widthOf("[2001:db8::]/32"), 32);
  assertEquals(widthOf("192.0.2.0/032"), 32);
  assertEquals(widthOf("192.0.2.0/0032"), null);
});

function widthOf(text: string): number | null {
  const parsed = parseNetwork(text);
  return parsed.kind === "ok" ? parsed.network.prefixBits : null;
}

Deno.test("network: an address is in a list when it is in any of it", () => {
  const networks = ["192.0.2.0/24", "2001:db8::/32"].map((text) => {
    const parsed = parseNetwork(text);
    if (parsed.kind === "error") throw new Error(parsed.reason);
    return parsed.network;
  });
  const addresses = ["192.0.2.1", "2001:db8::1", "192.0.3.1", "example.com", ""];
  assertEquals(addresses.map((address) => isInNetworks(address, networks)), [
    ...[true, true, false, false, false],
  ]);
  assertEquals(isInNetworks("192.0.2.1", []), false);
});

Deno.test("domain set: names are exact, patterns mean what is below", () => {
  const set = new DomainSet(["example.com", "*.Example.net", "BÜCHER.example"]);
  const isIn = (domain: string) => set.has(domain);
  const inside = ["example.com", "a.example.net", "a.b.example.net", "xn--bcher-kva.example"];
  const outside = ["example.net", "a.example.com", "xexample.com", "aexample.net", "com", ""];
  assertEquals(inside.filter(isIn), inside);
  assertEquals(outside.filter(isIn), []);
});

Deno.test("domain set: without patterns only the names are in it", () => {
  const set = new DomainSet(["example.com", "no domain at all"]);
  assertEquals(["example.com", "a.example.com", "no domain at all"].map((name) => set.has(name)), [
    ...[true, false, false],
  ]);
});

Deno.test("domain set: knows its patterns", () => {
  assertEquals(["example.com", "*.example.com", "bücher.example"].every(isDomainPattern), true);
  assertEquals(["", "*", "*.", "a b", "[192.0.2.1]", "*.*.a", "a@b"].some(isDomainPattern), false);
});
