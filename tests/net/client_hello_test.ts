import { assertEquals } from "@std/assert";
import { helloServerName } from "../../src/net/client_hello.ts";

/** A hello with the given extensions, cut into records of at most `recordBytes`. */
function hello(extensions: readonly number[], { recordBytes = 16384 } = {}): Uint8Array {
  const body = [
    ...[3, 3, ...new Array<number>(32).fill(7)],
    ...[4, 1, 2, 3, 4], // session id
    ...[0, 2, 0x13, 1], // cipher suites
    ...[1, 0], // compression methods
    ...number16(extensions.length),
    ...extensions,
  ];
  const message = [1, 0, ...number16(body.length), ...body];
  const records: number[] = [];
  for (let offset = 0; offset < message.length; offset += recordBytes) {
    const fragment = message.slice(offset, offset + recordBytes);
    records.push(22, 3, 1, ...number16(fragment.length), ...fragment);
  }
  return Uint8Array.from(records);
}

const number16 = (value: number): number[] => [value >> 8, value & 255];

function extension(type: number, content: readonly number[]): number[] {
  return [...number16(type), ...number16(content.length), ...content];
}

function serverName(name: string): number[] {
  const octets = [...new TextEncoder().encode(name)];
  const entry = [0, ...number16(octets.length), ...octets];
  return extension(0, [...number16(entry.length), ...entry]);
}

const PADDING = extension(21, [0, 0, 0]);

Deno.test("the server name is found wherever the hello is cut", () => {
  const wanted = { kind: "complete", serverName: "mx.example.org" } as const;
  for (const recordBytes of [16384, 50, 7, 1]) {
    const sent = hello([...PADDING, ...serverName("mx.example.org")], { recordBytes });
    for (let length = 0; length < sent.length; length++) {
      assertEquals(helloServerName(sent.subarray(0, length)), { kind: "incomplete" });
    }
    assertEquals(helloServerName(sent), wanted);
    assertEquals(helloServerName(Uint8Array.from([...sent, 20, 3, 3, 0, 1, 1])), wanted);
  }
});

Deno.test("a name is found behind long extensions, in records of any length", () => {
  const long = extension(21, new Array<number>(700).fill(0));
  for (const recordBytes of [16384, 300, 256]) {
    const sent = hello([...long, ...serverName("a")], { recordBytes });
    assertEquals(helloServerName(sent), { kind: "complete", serverName: "a" });
    for (const length of [5, 260, 310, 600, sent.length - 1]) {
      assertEquals(helloServerName(sent.subarray(0, length)), { kind: "incomplete" });
    }
  }
});

Deno.test("a name of another kind is none, and keeps nobody from the host's behind it", () => {
  const other = [1, 0, 1, 97];
  const host = [0, 0, 1, 98];
  const nameOf = (list: readonly number[]) =>
    helloServerName(hello(extension(0, [...number16(list.length), ...list])));
  assertEquals(nameOf(other), { kind: "complete", serverName: null });
  assertEquals(nameOf([0, 0, 0]), { kind: "complete", serverName: null });
  assertEquals(nameOf([...other, ...host]), { kind: "complete", serverName: "b" });
});

Deno.test("a hello without a name, or that is none, asks for no name", () => {
  const none = { kind: "complete", serverName: null } as const;
  assertEquals(helloServerName(hello([])), none);
  assertEquals(helloServerName(hello(PADDING)), none);
  assertEquals(helloServerName(hello(extension(0, []))), none);
  assertEquals(helloServerName(hello([0, 0, 0, 99, 0])), none); // longer than the message
  assertEquals(helloServerName(new TextEncoder().encode("EHLO client.test\r\n")), none);
  assertEquals(helloServerName(Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0)), none); // a ServerHello
  assertEquals(helloServerName(Uint8Array.of(22, 3, 1, 0, 4, 1, 255, 0, 0)), none); // too long
});

/** The begin of a handshake message of this type and length, of which `bytes` octets have come. */
function begun(type: number, lengthBytes: number, bytes: number): Uint8Array {
  const header = [type, lengthBytes >> 16, ...number16(lengthBytes & 0xffff)];
  const message = [...header, ...new Array<number>(bytes - header.length).fill(0)];
  return Uint8Array.from([22, 3, 1, ...number16(message.length), ...message]);
}

Deno.test("a hello of more than 16 KiB is not waited for", () => {
  assertEquals(helloServerName(begun(1, 16384, 4)), { kind: "incomplete" });
  assertEquals(helloServerName(begun(1, 16385, 4)), { kind: "complete", serverName: null });
});

Deno.test("a hello between records of no use is waited for as far as 32 KiB", () => {
  const start = hello(serverName("mx.example.org"), { recordBytes: 40 }).subarray(0, 45);
  const sent = (bytes: number): Uint8Array => {
    const padded = new Uint8Array(bytes + 4);
    padded.set(start);
    for (let at = start.length; at < bytes; at += 5) padded.set([22, 3, 1, 0, 0], at);
    return padded.subarray(0, bytes);
  };
  assertEquals(helloServerName(sent(32768)), { kind: "incomplete" });
  assertEquals(helloServerName(sent(32769)), { kind: "complete", serverName: null });
});

Deno.test("what is no hello of a client has no name, though one stands where it would be", () => {
  const sent = hello(serverName("mx.example.org"));
  sent[5] = 2; // a ServerHello
  assertEquals(helloServerName(sent), { kind: "complete", serverName: null });
});
