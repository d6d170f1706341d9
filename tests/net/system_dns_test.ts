import { assertEquals } from "@std/assert";
import { parseHosts, parseResolvConf } from "../../src/net/system_dns.ts";

Deno.test("resolv.conf", () => {
  const text = `# comment
search example.org
nameserver 192.0.2.53
nameserver 2001:db8::53
nameserver fe80::1%eth0
options timeout:3 attempts:4 trust-ad rotate
`;
  assertEquals(parseResolvConf(text), {
    servers: [{ address: "192.0.2.53", port: 53 }, { address: "2001:db8::53", port: 53 }],
    timeoutMs: 3000,
    attempts: 4,
    trustAd: true,
  });
  assertEquals(parseResolvConf("options timeout:x"), {
    servers: [{ address: "127.0.0.1", port: 53 }],
    timeoutMs: 5000,
    attempts: 2,
    trustAd: false,
  });
});

Deno.test("hosts", () => {
  const text = `127.0.0.1 localhost loop # here
::1 LocalHost
nonsense localhost
192.0.2.1
`;
  assertEquals(
    parseHosts(text),
    new Map([["localhost", ["127.0.0.1", "::1"]], ["loop", ["127.0.0.1"]]]),
  );
});
