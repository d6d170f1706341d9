import { assertEquals } from "@std/assert";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/units.ts";

const DURATIONS: readonly (readonly [string, number | null])[] = [
  ["0", 0],
  ["0s", 0],
  ["90", 90_000],
  ["1.5", 1500],
  ["250ms", 250],
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["1h 30m", 5_400_000],
  ["0.5h", 1_800_000],
  ["4d", 345_600_000],
  ["1w2d", 777_600_000],
  ["", null],
  ["s", null],
  ["-1s", null],
  ["30m1h", null],
  ["5 minutes", null],
  ["1e3", null],
];

for (const [text, expectedMs] of DURATIONS) {
  Deno.test(`duration ${JSON.stringify(text)} is ${expectedMs} ms`, () => {
    assertEquals(parseDuration(text), expectedMs);
    if (expectedMs !== null) assertEquals(parseDuration(formatDuration(expectedMs)), expectedMs);
  });
}

const SIZES: readonly (readonly [string, number | null])[] = [
  ["0", 0],
  ["512", 512],
  ["64KiB", 65_536],
  ["64 kib", 65_536],
  ["25MiB", 26_214_400],
  ["1.5MiB", 1_572_864],
  ["10MB", 10_000_000],
  ["2GiB", 2_147_483_648],
  ["7B", 7],
  ["", null],
  ["MiB", null],
  ["-1", null],
  ["10 M B", null],
  ["10XB", null],
];

for (const [text, expectedBytes] of SIZES) {
  Deno.test(`size ${JSON.stringify(text)} is ${expectedBytes} octets`, () => {
    assertEquals(parseSize(text), expectedBytes);
    if (expectedBytes !== null) assertEquals(parseSize(formatSize(expectedBytes)), expectedBytes);
  });
}

Deno.test("durations and sizes are written the way people write them", () => {
  assertEquals(formatDuration(0), "0s");
  assertEquals(formatDuration(345_600_000), "4d");
  assertEquals(formatDuration(9 * 86_400_000), "9d");
  assertEquals(formatDuration(5_400_000), "1h30m");
  assertEquals(formatDuration(1_250), "1s250ms");
  assertEquals(formatSize(0), "0B");
  assertEquals(formatSize(262_144), "256KiB");
  assertEquals(formatSize(1_000), "1000B");
});
