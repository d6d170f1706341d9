import { assertEquals } from "@std/assert";
import { parseIp, parseIpv6 } from "../../src/base/ip.ts";

const GOOD: readonly [text: string, hex: string][] = [
  ["192.0.2.1", "c0000201"],
  ["0.0.0.0", "00000000"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["1::", "00010000000000000000000000000000"],
  ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
  ["2001:DB8:0:0:8:800:200C:417A", "20010db80000000000080800200c417a"],
  ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
  ["fe80::1%eth0", "fe800000000000000000000000000001"],
  ["::ffff:192.0.2.1", "c0000201"],
  ["::ffff:c000:201", "c0000201"],
  ["64:ff9b::192.0.2.1", "0064ff9b0000000000000000c0000201"],
];

for (const [text, hex] of GOOD) {
  Deno.test(`ip: ${text}`, () => {
    const octets = parseIp(text) ?? new Uint8Array();
    assertEquals([...octets].map((octet) => octet.toString(16).padStart(2, "0")).join(""), hex);
  });
}

const BAD = [
  "",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "1.2.3.-1",
  "01.2.3.4",
  "1.2.3.4 ",
  "0x1.2.3.4",
  "1.2.3.",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::",
  ":1:2:3:4:5:6:7",
  "1.2.3.4::",
  "::1.2.3",
];

for (const text of BAD) {
  Deno.test(`ip: refuses ${JSON.stringify(text)}`, () => assertEquals(parseIp(text), null));
}

Deno.test("ip: an IPv6 address as written has no zone", () => {
  assertEquals(parseIpv6("fe80::1%eth0"), null);
});
