/** What a session tells of itself, to the key: what is not known is not there. */
import { assertEquals } from "@std/assert";
import type { RelayEvent } from "../../../src/observe/events.ts";
import {
  tellAuthenticated,
  tellBug,
  tellClosed,
  tellForwarded,
  tellOpened,
  tellRefused,
  tellSecured,
} from "../../../src/smtp/server/session_events.ts";
import type { VerbSession } from "../../../src/smtp/server/verb.ts";
import { DEFAULT_LIMITS } from "../../../src/smtp/server/limits.ts";

const TLS = { version: "TLSv1.3", cipher: "TLS_AES" };
const ABOUT = { sessionId: "s1", listener: "smtp", clientAddress: "192.0.2.1" };

/** What a session tells, with everything else about it as given. */
function told(tell: (session: VerbSession) => void, facts: Record<string, unknown> = {}) {
  const events: RelayEvent[] = [];
  const session = {
    ...{ ...ABOUT, clientPort: 4711, tls: null, user: null, tally: { messages: 2 } },
    channel: { closing: "quit", tlsFailure: null, remote: { address: "192.0.2.9" } },
    context: { events: (event: RelayEvent) => events.push(event) },
    ...facts,
  };
  tell(session as unknown as VerbSession);
  return events.map(({ ...event }) => event as Record<string, unknown>);
}

Deno.test("a session tells that it begins, and how it ends", () => {
  assertEquals(told(tellOpened), [{ type: "session_opened", ...ABOUT, clientPort: 4711 }]);
  const closed = { type: "session_closed", ...ABOUT, clientPort: 4711, messages: 2 };
  assertEquals(told(tellClosed), [{ ...closed, reason: "quit" }]);
  const channel = { closing: null, tlsFailure: "no cipher" };
  assertEquals(told(tellClosed, { channel }), [
    { ...closed, reason: "error", cause: "no cipher" },
  ]);
});

Deno.test("a session tells what TLS came to", () => {
  const secured = (discardedBytes: number, facts: Record<string, unknown>) =>
    told((session) => tellSecured(session, { discardedBytes }), facts);
  assertEquals(secured(0, { tls: null }), []);
  const plain = { type: "session_secured", ...ABOUT, tls: "TLSv1.3 TLS_AES" };
  const [event] = secured(0, { tls: TLS });
  assertEquals(event, plain);
  assertEquals(Object.keys(event ?? {}).length, Object.keys(plain).length);
  const peer = { subject: "CN=client", authorized: true };
  assertEquals(secured(7, { tls: { ...TLS, serverName: "mx", peer }, user: "ada" }), [{
    ...{ ...plain, serverName: "mx", clientCertificate: "CN=client" },
    ...{ clientCertificateTrusted: true, user: "ada", discardedBytes: 7 },
  }]);
});

Deno.test("a session tells who somebody is, and what a proxy said", () => {
  const identity = { user: "ada", mechanism: "PLAIN" };
  const as = (device: string | null) =>
    told((session) => tellAuthenticated(session, { ...identity, device } as never));
  assertEquals(as(null), [{ type: "authenticated", ...ABOUT, ...identity }]);
  assertEquals(as("phone"), [{ type: "authenticated", ...ABOUT, ...identity, device: "phone" }]);
  const attributes = new Map([["ADDR", "198.51.100.1"], ["NAME", null]]) as never;
  assertEquals(told((session) => tellForwarded(session, { command: "XCLIENT", attributes })), [{
    ...{ type: "client_named", ...ABOUT, command: "XCLIENT", by: "192.0.2.9" },
    attributes: { ADDR: "198.51.100.1", NAME: "unknown" },
  }]);
});

Deno.test("a session tells of refusals and of faults of ours", () => {
  const refused = (cause: string | undefined) =>
    told((session) => tellRefused(session, { verb: "RCPT", reply: "550 no", cause }));
  const event = { type: "command_refused", ...ABOUT, verb: "RCPT", reply: "550 no" };
  assertEquals(refused("rule 1"), [{ ...event, cause: "rule 1" }]);
  const [bare] = refused(undefined);
  assertEquals([bare, "cause" in (bare ?? {})], [event, false]);
  const cause = new Error("no");
  assertEquals(told((session) => tellBug(session, { verb: "DATA", cause })), [{
    ...{ type: "trouble", level: "error", component: "smtp", cause },
    message: "Cannot answer DATA in session s1: internal error",
  }]);
});

Deno.test("the limits of a session where nothing is configured", () => {
  assertEquals(DEFAULT_LIMITS, {
    ...{ commandLineBytes: 512, messageBytes: 104_857_600, recipients: 1_000, hops: 100 },
    ...{ errors: 50, commands: 10_000, messages: 0, sessionBytes: 0 },
    ...{ commandTimeoutMs: 300_000, dataTimeoutMs: 300_000, sessionTimeoutMs: 86_400_000 },
    ...{ greetDelayMs: 0, minDeliverByMs: 60_000, maxHoldMs: 2_592_000_000 },
  });
});
