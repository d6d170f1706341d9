import { assertEquals } from "@std/assert";
import { dateTimeFormatter, formatDateTime } from "../../src/mail/date.ts";

Deno.test("formatDateTime writes the date-time of RFC 5322 3.3", () => {
  assertEquals(formatDateTime(Date.UTC(2025, 6, 1, 9, 5, 0)), "Tue, 01 Jul 2025 09:05:00 +0000");
  assertEquals(formatDateTime(0), "Thu, 01 Jan 1970 00:00:00 +0000");
});

Deno.test("dateTimeFormatter gives the same", () => {
  const format = dateTimeFormatter();
  for (const timeMs of [0, 999, 1000, 500, 1_751_360_700_123]) {
    assertEquals(format(timeMs), formatDateTime(timeMs));
  }
});
