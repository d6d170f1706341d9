import { assertStringIncludes } from "@std/assert";
import { timelineTable } from "../../src/cli/queue/timeline.ts";

const plain = (text: string): string => text;
const PLAIN = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

function shown(detail: Readonly<Record<string, unknown>>): string {
  const outcomes = [{ kind: "delivered", reply: "250 2.0.0 Stored", recipients: [0] }];
  const entry = {
    ...{ atMs: 0, kind: "attempt", recipients: [0] },
    detail: { transport: "out", remote: "mx.example[192.0.2.1]:25", outcomes, ...detail },
  };
  return timelineTable([entry], { width: 200, style: PLAIN }).replaceAll(/ +/g, " ");
}

Deno.test("an attempt shows TLS, how it was verified, and the proxy on its way", () => {
  assertStringIncludes(shown({}), " out, mx.example[192.0.2.1]:25, 250 2.0.0 Stored");
  assertStringIncludes(
    shown({ tls: "TLSv1.3 AES", proof: "dane", proxy: "socks5://proxy.example:1080" }),
    " out, mx.example[192.0.2.1]:25 by socks5://proxy.example:1080, TLSv1.3 AES (dane), 250 ",
  );
  assertStringIncludes(shown({ tls: "TLSv1.3 AES" }), ":25, TLSv1.3 AES (not verified), 250 ");
});

Deno.test("an attempt shows what its answer was taken for", () => {
  const of = (outcome: Readonly<Record<string, unknown>>): string =>
    shown({ outcomes: [{ reply: "421 Later", recipients: [0], ...outcome }] });
  assertStringIncludes(of({ kind: "temporary", rule: "calm" }), "421 Later, by rule calm");
  assertStringIncludes(of({ kind: "uncertain" }), "421 Later, maybe sent");
});
