import { assertEquals } from "@std/assert";
import { isPublicAddress, parseIp, parseIpv6 } from "../../src/base/ip.ts";

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

Deno.test("isPublicAddress knows the addresses of machines and networks of one's own", () => {
  const cases: Readonly<Record<string, boolean>> = {
    ...{ "192.0.2.1": true, "8.8.8.8": true, "172.32.0.1": true, "172.15.255.255": true },
    ...{ "100.63.255.255": true, "100.128.0.0": true, "11.0.0.1": true, "223.255.255.255": true },
    ...{ "2606:4700::1": true, "2001:4860::8888": true, "2002:808:808::1": true },
    ...{ "64:ff9b::808:808": true, "::ffff:8.8.8.8": true },
    ...{ "0.0.0.0": false, "10.1.2.3": false, "100.64.0.1": false, "127.8.8.8": false },
    ...{ "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false },
    ...{ "192.168.0.1": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false },
    ...{ "::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "febf::1": false },
    ...{ "fc00::1": false, "fd12::1": false, "ff02::1": false, "fec0::1": false },
    ...{ "::ffff:10.0.0.1": false, "::10.0.0.1": false, "2002:a00:1::1": false },
    ...{ "64:ff9b::7f00:1": false, "64:ff9b:1::1": false, "2001:0:1::1": false },
    ...{ "9.255.255.255": true, "126.255.255.255": true, "128.0.0.1": true, "1.0.0.1": true },
    ...{ "169.253.0.1": true, "169.255.0.1": true, "192.0.1.1": true, "192.167.255.255": true },
    ...{ "192.169.0.1": true, "198.17.255.255": true, "198.20.0.1": true, "10.255.255.255": false },
    ...{ "0.255.255.255": false, "100.127.255.255": false, "192.0.0.255": false },
    ...{ "198.19.255.255": false, "239.255.255.255": false, "240.0.0.1": false },
    ...{ "2001:1::1": true, "2001:20::1": true, "2001:f::1": true, "2001:1f::1": false },
    ...{ "2001:10::1": false, "2003::1": true, "fb00::1": true, "fe00::1": true, "100::1": false },
    ...{ "200::1": true, "64:ff9b:0:0:1::1": false, "64:ff9b::a00:1": false },
    ...{ "2002:7f00:1::": false, "name.example": false, "": false },
  };
  for (const [address, expected] of Object.entries(cases)) {
    assertEquals(isPublicAddress(address), expected, address);
  }
});
