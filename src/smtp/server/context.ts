import type { Clock } from "../../base/clock.ts";
import type { Deadlines } from "../../base/deadlines.ts";
import type { EventSink } from "../../observe/events.ts";
import type { BufferPool } from "../wire/buffer_pool.ts";
import type { Offer } from "./extension.ts";
import type { SessionLimits } from "./limits.ts";
import type { ServerPolicy } from "../../reception/policy.ts";
import type { Services } from "./services.ts";
import type { MessageSink } from "./sink.ts";

/** A proxy named the client it speaks for. */
export interface ClientChange {
  readonly fromAddress: string;
  readonly toAddress: string;
}

/** What the sessions of one server share. */
export interface SessionContext extends Services {
  /** Name of the listener. */
  readonly listener: string;
  /** The name this relay calls itself. */
  readonly hostname: string;
  readonly sink: MessageSink;
  readonly policy: ServerPolicy;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly limits: SessionLimits;
  readonly offer: Offer;
  /** The longest line of any command, in octets with its CRLF. */
  readonly longestLineBytes: number;
  readonly buffers: BufferPool;
  /** Makes session ids. */
  readonly nextId: () => string;
  /** Hears of every session that goes on as another client's. */
  readonly onClientChange: (change: ClientChange) => void;
  /** Hears of every session whose connection is closed. */
  readonly onSessionEnd: (session: { sessionId: string; clientAddress: string }) => void;
}
