import { assertEquals } from "@std/assert";
import { encodeText } from "../../../src/base/bytes.ts";
import type { Exchange, HttpRequest } from "../../../src/relay/http/exchange.ts";
import { HttpTranscript } from "../../../src/relay/http/transcript.ts";

const REQUEST: HttpRequest = {
  url: "https://api.provider.example/v3/messages?key=sesame",
  headers: { authorization: "Bearer sesame" },
  body: { lengthBytes: 4096, stream: () => [] as never },
};

function answered(status: number, body: string, headers: Record<string, string> = {}): Exchange {
  return {
    kind: "answered",
    answer: { status, headers: new Headers(headers), body: encodeText(body), complete: true },
  };
}

Deno.test("an HTTP exchange is told without credentials", () => {
  const transcript = new HttpTranscript();
  transcript.add(
    REQUEST,
    answered(429, '{"message":\r\n"slow down"}', {
      "retry-after": "30",
      "set-cookie": "session=secret",
      "x-ratelimit-remaining": "0",
    }),
  );
  transcript.add(REQUEST, { kind: "failed", reason: "timeout", maybeSent: true, cause: null });
  assertEquals(transcript.lines(), [
    "C: POST https://api.provider.example/v3/messages?(not recorded)",
    "-- 4096 octets",
    "S: HTTP 429",
    "S: retry-after: 30",
    "S: x-ratelimit-remaining: 0",
    'S: {"message":',
    'S: "slow down"}',
    "C: POST https://api.provider.example/v3/messages?(not recorded)",
    "-- 4096 octets",
    "-- No answer in time; the request may have arrived",
  ]);
});
