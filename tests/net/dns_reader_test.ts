import { assertEquals, assertThrows } from "@std/assert";
import { DnsFormatError, DnsReader } from "../../src/net/dns_reader.ts";

const HEADER = new Array<number>(12).fill(0);
const label = (text: string): number[] => [
  text.length,
  ...Array.from(text, (char) => char.charCodeAt(0)),
];

/** A reader behind the header of a message. */
function readerOf(octets: readonly number[], { at = 12 }: { at?: number } = {}): DnsReader {
  const reader = new DnsReader(Uint8Array.from([...HEADER, ...octets]));
  reader.position = at;
  return reader;
}

function nameIn(octets: readonly number[]): string {
  return readerOf(octets).name();
}

Deno.test("dns reader: numbers are read where it stands, and none behind the end", () => {
  const reader = readerOf([1, 2, 3, 0xff, 0xfe, 0xfd, 0xfc]);
  assertEquals([reader.u8(), reader.u16(), reader.u32(), reader.position], [
    ...[1, 0x0203, 0xfffefdfc, 19],
  ]);
  for (const read of [() => reader.u8(), () => reader.u16(), () => reader.u32()]) {
    assertThrows(read, DnsFormatError, "cut off");
  }
  assertEquals(readerOf([1, 2]).octets(2), Uint8Array.of(1, 2));
  assertThrows(() => readerOf([1, 2]).octets(3), DnsFormatError, "cut off");
  assertEquals(readerOf([]).octets(0).length, 0);
});

Deno.test("dns reader: names in lower case; what no host name has is escaped", () => {
  assertEquals(nameIn([...label("MX"), ...label("a_b-1"), 0]), "mx.a_b-1");
  assertEquals(nameIn([0]), ".");
  assertEquals(nameIn([...label("a.b"), ...label("C D"), 0]), "a\\.b.c\\032d");
  assertEquals(nameIn([...label("\x7f\xe9!A"), 0]), "\\127\\233\\!a");
  assertEquals(nameIn([...label("\x00\x20"), 0]), "\\000\\032");
});

Deno.test("dns reader: after a name it stands behind it, whatever the pointers lead to", () => {
  const reader = readerOf([
    ...[...label("test"), 0], // 12
    ...[...label("a"), 0xc0, 12], // 18
    ...[0xc0, 18], // 22
    ...[...label("b"), 0xc0, 18], // 24
    7,
  ]);
  const names = [reader.name(), reader.name(), reader.name(), reader.name()];
  assertEquals(names, ["test", "a.test", "a.test", "b.a.test"]);
  assertEquals(reader.u8(), 7);
  reader.position = 12;
  assertEquals([reader.name(), reader.position], ["test", 18]);
  reader.position = 18;
  assertEquals([reader.name(), reader.position], ["a.test", 22]);
  reader.position = 22;
  assertEquals([reader.name(), reader.position], ["a.test", 24]);
});

const BAD_NAMES: readonly (readonly [string, readonly number[], string])[] = [
  ["a pointer to itself", [0xc0, 12], "bad pointer"],
  ["a pointer forward", [0xc0, 14, 0], "bad pointer"],
  ["a pointer into the header", [0xc0, 11], "bad pointer"],
  ["a label of a kind nobody knows", [0x40, 0], "bad label"],
  ["the other kind nobody knows", [0x80, 0], "bad label"],
  ["a label that is cut", [3, 65, 66], "cut off"],
  ["a name without its end", [1, 65], "cut off"],
  ["half a pointer", [0xc0], "cut off"],
  ["a name of 254 characters", [...Array(127).fill([1, 97]).flat(), 2, 97, 97, 0], "name too long"],
];

for (const [what, octets, reason] of BAD_NAMES) {
  Deno.test(`dns reader: ${what} is refused`, () => {
    assertThrows(() => nameIn(octets), DnsFormatError, reason);
  });
}

Deno.test("dns reader: a name of 253 characters is one", () => {
  assertEquals(nameIn([...Array(127).fill([1, 97]).flat(), 0]).length, 253);
});

Deno.test("dns reader: 127 pointers are followed, no more", () => {
  const ladder = (rungs: number) => {
    const octets = [...label("a"), 0];
    for (let rung = 0; rung < rungs; rung++) {
      const target = rung === 0 ? 12 : 12 + octets.length - 2;
      octets.push(0xc0 | (target >> 8), target & 255);
    }
    return readerOf(octets, { at: 12 + octets.length - 2 });
  };
  assertEquals(ladder(127).name(), "a");
  assertThrows(() => ladder(128).name(), DnsFormatError, "bad pointer");
});

Deno.test("dns reader: records of the Internet with their times, at most 1,000", () => {
  const record = (type: number, ttl: readonly number[], kind = 1) => [
    ...[0, 0, type, 0, kind, ...ttl, 0, 2, 9, 9],
  ];
  const octets = [
    ...record(1, [0, 0, 1, 0]),
    ...record(2, [0x7f, 0xff, 0xff, 0xff]),
    ...record(3, [0x80, 0, 0, 0]),
    ...record(4, [0, 0, 0, 1], 3),
  ];
  assertEquals(
    readerOf(octets).records(4).map(({ owner, type, ttlSeconds, start, end }) => [
      ...[owner, type, ttlSeconds, start, end],
    ]),
    [[".", 1, 256, 23, 25], [".", 2, 0x7fffffff, 36, 38], [".", 3, 0, 49, 51]],
  );
  assertThrows(() => readerOf(octets).records(5), DnsFormatError, "cut off");
  const many = Array(1_001).fill(record(1, [0, 0, 0, 1])).flat();
  assertEquals(readerOf(many).records(1_000).length, 1_000);
  assertThrows(() => readerOf(many).records(1_001), DnsFormatError, "too many records");
});
