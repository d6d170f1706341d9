import { assertEquals } from "@std/assert";
import { formatDuration, formatPace, formatSize } from "../../src/observe/quantities.ts";

Deno.test("formatSize", () => {
  const cases: readonly [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [10_239, "10.0 KiB"],
    [10_240, "10 KiB"],
    [1024 ** 2 - 1, "1024 KiB"],
    [1024 ** 2, "1.0 MiB"],
    [1024 ** 4, "1.0 TiB"],
    [1024 ** 5, "1024 TiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [1e18, "909495 TiB"],
  ];
  for (const [sizeBytes, text] of cases) assertEquals(formatSize(sizeBytes), text);
});

Deno.test("formatDuration", () => {
  const cases: readonly [number, string][] = [
    [-5, "0 ms"],
    [0, "0 ms"],
    [999, "999 ms"],
    [1000, "1.0 s"],
    [59_940, "59.9 s"],
    [60_000, "1 min"],
    [60_999, "1 min"],
    [61_000, "1 min 1 s"],
    [125_000, "2 min 5 s"],
    [3_599_999, "59 min 59 s"],
    [3_600_000, "1 h"],
    [3_661_000, "1 h 1 min"],
    [86_399_000, "23 h 59 min"],
    [86_400_000, "1 d"],
    [86_400_000 * 3 + 3_600_000 * 4, "3 d 4 h"],
  ];
  for (const [durationMs, text] of cases) assertEquals(formatDuration(durationMs), text);
});

Deno.test("formatPace", () => {
  const cases = [
    [120, "120 a minute"],
    [1.4, "1 a minute"],
    [1, "1 a minute"],
    [0.99, "59 an hour"],
    [0.5, "30 an hour"],
    [0, "1 an hour"],
  ] as const;
  for (const [perMinute, text] of cases) assertEquals(formatPace(perMinute), text);
});
