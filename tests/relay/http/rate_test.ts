import { assertEquals } from "@std/assert";
import { rateAllowance, retryAfterMs } from "../../../src/relay/http/rate.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
const NOW_S = NOW_MS / 1000;

Deno.test("rate: how long to wait", () => {
  const rows: readonly [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ "retry-after": "30" }, 30_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Fri, 02 Jan 2026 03:04:35 GMT" }, 30_000],
    [{ "retry-after": "Fri, 02 Jan 2026 03:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "99999999" }, 24 * 3_600_000],
    [{ "ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "1" }, 1000],
    [{ "ratelimit-remaining": "1", "ratelimit-reset": "1" }, undefined],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_S + 9) }, 9000],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_MS + 9) }, 9],
    [{ "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "60" }, 60_000],
    [{ "retry-after": "5", "ratelimit-remaining": "0", "ratelimit-reset": "1" }, 5000],
    [{ "ratelimit-remaining": "none", "ratelimit-reset": "1" }, undefined],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_MS - 9) }, 0],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_S - 9) }, 0],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_MS * 2) }, 24 * 3_600_000],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after": "0.0001" }, 1],
    [{ "retry-after": " 2026-01-02T03:04:06Z " }, 1000],
    [{ "retry-after": "x", "ratelimit-remaining": "0", "ratelimit-reset": "1" }, 1000],
  ];
  for (const [headers, expected] of rows) {
    assertEquals(retryAfterMs(new Headers(headers), NOW_MS), expected, JSON.stringify(headers));
  }
});

Deno.test("rate: what is left", () => {
  const headers = new Headers({ "x-ratelimit-remaining": "41", "x-ratelimit-reset": "10" });
  assertEquals(rateAllowance(headers, NOW_MS), { remaining: 41, resetAfterMs: 10_000 });
  assertEquals(rateAllowance(new Headers({ "ratelimit-remaining": "41" }), NOW_MS), null);
});
