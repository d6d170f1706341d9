/** What proves a request, how old it may be, who sent it, and how much of it is read. */
import { assertEquals } from "@std/assert";
import { clientAddress } from "../../src/provider_events/client_address.ts";
import {
  fromBase64,
  fromHex,
  hmacSha256,
  isRecent,
  isRecentMs,
  isSame,
  isSameSecret,
  parseJson,
  sha256Hex,
} from "../../src/provider_events/proof.ts";
import { requestBody } from "../../src/provider_events/request_body.ts";
import { parseNetwork } from "../../src/policy/network.ts";
import { ManualClock, settle } from "../support/manual_clock.ts";

const NOW_MS = 1_700_000_000_000;

Deno.test("proof: not older than its age, and at most five minutes ahead, to the millisecond", () => {
  const limits = { nowMs: NOW_MS, maxAgeMs: 1_000 };
  const rows: [number, boolean][] = [
    ...[[0, true], [-1_000, true], [-1_001, false], [300_000, true], [300_001, false]] as const,
    [NaN, false],
  ].map(([offsetMs, expected]) => [NOW_MS + (offsetMs as number), expected as boolean]);
  for (const [timeMs, expected] of rows) {
    assertEquals(isRecentMs(timeMs, limits), expected, `${timeMs - NOW_MS}`);
  }
  const texts: [string, boolean][] = [
    ...[["1700000000", true], ["1699999999", true], ["1699999998", false]] as const,
    ...[["", false], ["1700000000.0", false], ["-1", false], [" 1700000000", false]] as const,
  ].map(([text, expected]) => [text, expected]);
  for (const [text, expected] of texts) assertEquals(isRecent(text, limits), expected, text);
});

Deno.test("proof: digests, comparisons and what octets are written in", () => {
  const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assertEquals([sha256Hex("abc"), sha256Hex(Uint8Array.of(97, 98, 99))], [hash, hash]);
  // RFC 4231, test case 2.
  const mac = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const key = new TextEncoder().encode("Jefe");
  assertEquals(hmacSha256(key, "what do ya want ", "for nothing?").toHex(), mac);
  const [one, other, longer] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3), Uint8Array.of(1, 2, 3)];
  assertEquals([isSame(one, one), isSame(one, other), isSame(one, longer)], [true, false, false]);
  const pairs = [["a", "a"], ["a", "b"], ["a", "aa"], ["", "a"]] as const;
  assertEquals(pairs.map(([given, secret]) => isSameSecret(given, secret)), [
    ...[true, false, false, false],
  ]);
  assertEquals(["0aFf", "", "0", "0g", " 00"].map((text) => fromHex(text)?.join() ?? null), [
    ...["10,255", null, null, null, null],
  ]);
  assertEquals(["AAE=", "", "?"].map((text) => fromBase64(text)?.join() ?? null), [
    "0,1",
    "",
    null,
  ]);
  assertEquals([parseJson("[1]"), parseJson(Uint8Array.of(49)), parseJson("{")], [
    ...[[1], 1, undefined],
  ]);
});

Deno.test("who sent a request: a proxy of ours is believed about what it saw itself", () => {
  const proxy = parseNetwork("10.0.0.0/8");
  const proxies = proxy.kind === "ok" ? [proxy.network] : [];
  const rows: [peer: string, forwarded: string | null, expected: string][] = [
    ["192.0.2.1", "198.51.100.7", "192.0.2.1"],
    ["10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "192.0.2.9, 198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "198.51.100.7,2001:db8::1 ", "2001:db8::1"],
    ["10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"],
    ["10.0.0.1", "", "10.0.0.1"],
    ["10.0.0.1", null, "10.0.0.1"],
  ];
  for (const [peer, forwarded, expected] of rows) {
    const headers = new Headers(forwarded === null ? {} : { "x-forwarded-for": forwarded });
    assertEquals(clientAddress(headers, { peer, proxies }), expected, `${peer} ${forwarded}`);
  }
});

Deno.test("bodies: read to their limit, and no timer is left", async () => {
  const clock = new ManualClock();
  const read = async (length: number | null, headers: Record<string, string> = {}) => {
    const body = length === null ? {} : { body: new Uint8Array(length) };
    const request = new Request("http://a.example/", { method: "POST", headers, ...body });
    const result = await requestBody(request, { limitBytes: 10, timeoutMs: 1_000, clock });
    return result.kind === "read" ? result.octets.length : result.kind;
  };
  assertEquals([await read(null), await read(0), await read(10), await read(11)], [
    ...[0, 0, 10, "too_long"],
  ]);
  const announced = (bytes: string) => read(1, { "content-length": bytes });
  assertEquals([await announced("10"), await announced("11")], [1, "too_long"]);
  assertEquals(clock.timers, 0);
});

Deno.test("bodies: one that stops coming is late at its time, not before, and is let go", async () => {
  const clock = new ManualClock();
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Uint8Array.of(1)),
    cancel: () => void (isCancelled = true),
  });
  const request = { headers: new Headers(), body } as unknown as Request;
  let kind: string | null = null;
  const reading = requestBody(request, { limitBytes: 10, timeoutMs: 1_000, clock })
    .then((result) => kind = result.kind);
  await settle();
  await clock.advance(999);
  assertEquals([kind, isCancelled], [null, false]);
  await clock.advance(1);
  await reading;
  assertEquals([kind, isCancelled, clock.timers], ["late", true, 0]);
});
