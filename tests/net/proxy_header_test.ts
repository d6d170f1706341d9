import { assertEquals } from "@std/assert";
import { parseProxyHeader, type ProxyHeader } from "../../src/net/proxy_header.ts";

const line = (text: string): Uint8Array => new TextEncoder().encode(text);

const SIGNATURE = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10];

function binary(command: number, family: number, content: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...SIGNATURE,
    command,
    family,
    content.length >> 8,
    content.length & 255,
    ...content,
  ]);
}

const IPV4 = [192, 0, 2, 1, 198, 51, 100, 2, 0xdd, 0xd5, 0, 25];
const IPV6 = [
  ...[0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1],
  ...[0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 2],
  ...[0, 99, 0, 25],
];
const MAPPED = [...new Array<number>(10).fill(0), 255, 255, 192, 0, 2, 1];

const between = (client: string, clientPort: number, server: string): unknown => ({
  client: { address: client, port: clientPort },
  server: { address: server, port: 25 },
});
const from4 = between("192.0.2.1", 56789, "198.51.100.2");

Deno.test("complete headers tell the ends of the client's connection", () => {
  const table: readonly (readonly [Uint8Array, unknown])[] = [
    [line("PROXY TCP4 192.0.2.1 198.51.100.2 56789 25\r\n"), from4],
    [
      line("PROXY TCP6 2001:DB8:0::1 2001:db8::2 99 25\r\n"),
      between("2001:db8::1", 99, "2001:db8::2"),
    ],
    [line("PROXY UNKNOWN\r\n"), null],
    [line("PROXY UNKNOWN ffff:: whatever 1 2 3\r\n"), null],
    [binary(0x21, 0x11, IPV4), from4],
    [binary(0x21, 0x11, [...IPV4, 0x04, 0, 1, 0]), from4], // with an addition
    [binary(0x21, 0x21, IPV6), between("2001:db8::1", 99, "2001:db8::2")],
    [
      binary(0x21, 0x21, [...MAPPED, ...MAPPED, 0, 99, 0, 25]),
      between("192.0.2.1", 99, "192.0.2.1"),
    ],
    [binary(0x20, 0x00, []), null], // the balancer's own
    [binary(0x20, 0x11, IPV4), null],
    [binary(0x21, 0x00, []), null], // unspecified
    [binary(0x21, 0x31, new Array<number>(216).fill(0)), null], // Unix sockets
  ];
  for (const [header, addresses] of table) {
    const wanted = { kind: "complete", lengthBytes: header.length, addresses };
    assertEquals<unknown>(parseProxyHeader(header), wanted);
    const followed = Uint8Array.from([...header, ...line("EHLO client.test\r\n")]);
    assertEquals<unknown>(parseProxyHeader(followed), wanted);
    for (let length = 0; length < header.length; length++) {
      assertEquals(parseProxyHeader(header.subarray(0, length)).kind, "incomplete");
    }
  }
});

Deno.test("malformed headers are refused as soon as they can be told", () => {
  const kindOf = (header: Uint8Array): ProxyHeader["kind"] => parseProxyHeader(header).kind;
  for (
    const text of [
      "E",
      "PROXY\r\n",
      "proxy TCP4 192.0.2.1 198.51.100.2 56789 25\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.2 56789 25\n",
      "PROXY TCP4 192.0.2.1 198.51.100.2 56789\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.2 56789 25 \r\n",
      "PROXY TCP4  192.0.2.1 198.51.100.2 56789 25\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.2 056 25\r\n",
      "PROXY TCP4 192.0.2.01 198.51.100.2 56 25\r\n",
      "PROXY TCP4 2001:db8::1 2001:db8::2 99 25\r\n",
      "PROXY TCP6 192.0.2.1 198.51.100.2 56789 25\r\n",
      "PROXY UDP4 192.0.2.1 198.51.100.2 56789 25\r\n",
      "PROXY UNKNOWN " + "x".repeat(107),
    ]
  ) assertEquals(kindOf(line(text)), "malformed", text);
  for (
    const header of [
      binary(0x11, 0x11, IPV4), // version 1
      binary(0x22, 0x11, IPV4), // no such command
      binary(0x21, 0x41, IPV4), // no such family
      binary(0x21, 0x13, IPV4), // no such protocol
      binary(0x21, 0x11, IPV4.slice(1)),
      binary(0x21, 0x21, IPV4),
      binary(0x20, 0x00, new Array<number>(5000).fill(0)),
    ]
  ) assertEquals(kindOf(header), "malformed", String(header));
});
