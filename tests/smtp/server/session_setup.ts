import { Deadlines } from "../../../src/base/deadlines.ts";
import type { TlsInfo } from "../../../src/net/conn.ts";
import type { RelayEvent } from "../../../src/observe/events.ts";
import { DomainSet } from "../../../src/policy/domain_set.ts";
import { type Network, parseNetwork } from "../../../src/policy/network.ts";
import { receptionPolicy, type ServerPolicy } from "../../../src/reception/policy.ts";
import { SmtpServer, type SmtpServerOptions } from "../../../src/smtp/server/server.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { MemoryConn } from "./memory_conn.ts";
import { MemorySink } from "./memory_sink.ts";

/** A server for tests with all that is around it. */
export interface SessionSetup extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly sink: MemorySink;
  readonly events: RelayEvent[];
  readonly server: SmtpServer;
  /** Connects a client; `done` resolves when its connection is closed. */
  connect(
    clientAddress?: string,
    handshake?: TlsInfo | null,
  ): { readonly conn: MemoryConn; readonly done: Promise<void> };
}

/**
 * Builds a server called `relay.example` that trusts 192.0.2.0/24 and relays for anybody to
 * `example.com`.
 */
export function sessionSetup(options: Partial<SmtpServerOptions> = {}): SessionSetup {
  const clock = new ManualClock(Date.UTC(2026, 10, 23, 14, 30));
  const deadlines = new Deadlines({ clock });
  const sink = new MemorySink();
  const events: RelayEvent[] = [];
  const server = new SmtpServer({
    listener: "test",
    hostname: "relay.example",
    sink,
    policy: testPolicy(),
    events: (event) => events.push(event),
    deadlines,
    clock,
    ...options,
  });
  return {
    clock,
    sink,
    events,
    server,
    connect(clientAddress, handshake) {
      const conn = new MemoryConn(clientAddress);
      if (handshake !== undefined) conn.handshake = handshake;
      return { conn, done: server.serve(conn) };
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown({ signal: AbortSignal.abort() });
      deadlines[Symbol.dispose]();
    },
  };
}

/** The rules of the server. */
export function testPolicy(): ServerPolicy {
  return receptionPolicy({
    relay: {
      trustedNetworks: [network("192.0.2.0/24")],
      relayDomains: new DomainSet(["example.com"]),
      ownNames: new DomainSet(["relay.example"]),
    },
  });
}

/** Reads a network that is known to be good. */
export function network(text: string): Network {
  const result = parseNetwork(text);
  if (result.kind === "error") throw new Error(result.reason);
  return result.network;
}
