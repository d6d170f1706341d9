import type { DialResult } from "../../net/dial.ts";
import { SmtpClient } from "../../smtp/client/client.ts";
import type { Outcome, RemoteHop } from "../transport.ts";
import { FailureMemory } from "./failure_memory.ts";
import type { SmtpTransportOptions } from "./options.ts";
import { broken, judgeDial, judgeOpening } from "./outcome.ts";
import type { Session } from "./pool.ts";

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** What opening a session came to. */
export type SessionResult =
  | { readonly kind: "session"; readonly session: Session }
  | {
    readonly kind: "failed";
    readonly outcome: Outcome;
    /** How far it came; `not_tried` when a failure not long ago speaks against the address. */
    readonly progress: "not_tried" | "not_connected" | "connected";
  };

/** Opens sessions with next hops: connects, waits for the greeting, introduces this relay. */
export class SessionOpener {
  readonly #options: SmtpTransportOptions;
  readonly #failures: FailureMemory;

  constructor(options: SmtpTransportOptions) {
    this.#options = options;
    const { failureMemoryMs, services: { clock } } = options;
    this.#failures = new FailureMemory({
      clock,
      ...(failureMemoryMs === undefined ? {} : { forgetAfterMs: failureMemoryMs }),
    });
  }

  /** Opens a session with one address of a host; `key` is the pool's. */
  async open(
    hop: RemoteHop,
    { key, signal }: { key: string; signal: AbortSignal },
  ): Promise<SessionResult> {
    const address = `${hop.address} ${hop.port}`;
    const known = this.#failures.recall(address);
    if (known !== null) return { kind: "failed", outcome: broken(known), progress: "not_tried" };
    const dialed = await this.#dial(hop, signal);
    if (dialed.kind !== "connected") {
      const outcome = judgeDial(dialed, hop);
      this.#learn(address, outcome);
      return { kind: "failed", outcome, progress: "not_connected" };
    }
    const opened = await SmtpClient.open(dialed.conn, { ...this.#clientOptions(), signal });
    if (opened.kind !== "open") {
      const outcome = judgeOpening(opened, hop);
      this.#learn(address, outcome);
      return { kind: "failed", outcome, progress: "connected" };
    }
    this.#failures.succeeded(address);
    const openedAtMs = this.#options.services.clock.monotonic();
    return { kind: "session", session: { client: opened.client, hop, key, openedAtMs } };
  }

  #learn(address: string, outcome: Outcome): void {
    if (outcome.kind === "broken") this.#failures.failed(address, outcome.reply);
    else this.#failures.succeeded(address);
  }

  #clientOptions() {
    const { heloName, timeoutsMs, abortGraceMs, services: { deadlines } } = this.#options;
    return {
      heloName,
      deadlines,
      ...(timeoutsMs === undefined ? {} : { timeoutsMs }),
      ...(abortGraceMs === undefined ? {} : { abortGraceMs }),
    };
  }

  #dial({ address, port }: RemoteHop, signal: AbortSignal): Promise<DialResult> {
    const { connectTimeoutMs, localAddress, services: { dial, clock } } = this.#options;
    const timeoutMs = connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    const source = localAddress === undefined ? {} : { localAddress };
    return dial({ address, port, ...source }, { timeoutMs, signal, clock });
  }
}
