import { assertEquals } from "@std/assert";
import { isNetwork } from "../../src/config/network.ts";

const NETWORKS: readonly (readonly [string, boolean])[] = [
  ["10.0.0.0/8", true],
  ["192.0.2.0/25", true],
  ["192.0.2.128/25", true],
  ["192.0.2.1", true],
  ["192.0.2.1/32", true],
  ["0.0.0.0/0", true],
  ["::/0", true],
  ["::1/128", true],
  ["2001:db8::/32", true],
  ["192.0.2.1/24", false],
  ["192.0.2.64/25", false],
  ["10.0.0.0/33", false],
  ["10.0.0.0/08", false],
  ["10.0.0.0/", false],
  ["10.0.0.0/8/8", false],
  ["10.0.0/8", false],
  ["2001:db8::1/64", false],
  ["::/129", false],
  ["example.net", false],
  ["", false],
];

for (const [text, expected] of NETWORKS) {
  Deno.test(`${JSON.stringify(text)} is ${expected ? "a" : "no"} network`, () => {
    assertEquals(isNetwork(text), expected);
  });
}
