import { createAdminApp } from "../../src/admin/app.ts";
import type { Peer } from "../../src/admin/env.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { type FakePorts, fakePorts } from "./fake_ports.ts";

/** Somebody on this machine. */
export const LOCAL: Peer = { kind: "tcp", address: "127.0.0.1", isLoopback: true };
/** Somebody elsewhere. */
export const REMOTE: Peer = { kind: "tcp", address: "192.0.2.7", isLoopback: false };

export const ORIGIN = "http://127.0.0.1:8025";

/** The admin app in a test. */
export interface AdminSetup extends AsyncDisposable {
  readonly ports: FakePorts;
  readonly clock: ManualClock;
  /** What the app itself reported. */
  readonly events: RelayEvent[];
  /** Makes a request; `path` begins with a slash. */
  request(path: string, init?: RequestInit & { peer?: Peer }): Promise<Response>;
  /** Makes a request and reads the answer as JSON. */
  // deno-lint-ignore no-explicit-any -- answers are looked at field by field
  json(path: string, init?: RequestInit & { peer?: Peer }): Promise<{ status: number; body: any }>;
}

/** Builds an app that is open to this machine, unless told otherwise. */
export async function adminSetup(
  options: { openOnLoopback?: boolean; publicOrigin?: string } = {},
): Promise<AdminSetup> {
  const clock = new ManualClock(1_700_000_100_000);
  const ports = await fakePorts({ clock });
  const events: RelayEvent[] = [];
  const app = createAdminApp(ports, {
    openOnLoopback: true,
    ...options,
    events: (event) => void events.push(event),
    clock,
  });
  const request: AdminSetup["request"] = async (path, { peer = LOCAL, ...init } = {}) =>
    await app.request(path.startsWith("http") ? path : ORIGIN + path, init, { peer });
  return {
    ...{ ports, clock, events, request },
    async json(path, init) {
      const response = await request(path, init);
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => ports[Symbol.asyncDispose](),
  };
}

/** A request with a JSON body. */
export function jsonInit(method: string, body: unknown): RequestInit {
  return {
    method,
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}
