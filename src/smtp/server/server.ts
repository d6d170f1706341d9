import { type Clock, systemClock } from "../../base/clock.ts";
import type { Deadlines } from "../../base/deadlines.ts";
import { idGenerator } from "../../base/ids.ts";
import { systemRandom } from "../../base/random.ts";
import type { Conn } from "../../net/conn.ts";
import type { EventSink } from "../../observe/events.ts";
import { BufferPool } from "../wire/buffer_pool.ts";
import type { ClientChange, SessionContext } from "./context.ts";
import { type Extension, makeOffer, type Offer } from "./extension.ts";
import { EXTENSIONS } from "./extensions/mod.ts";
import { DEFAULT_LIMITS, type SessionLimits } from "./limits.ts";
import type { ServerPolicy } from "../../reception/policy.ts";
import type { Services } from "./services.ts";
import { Session } from "./session.ts";
import type { MessageSink } from "./sink.ts";
import { BASE_VERBS } from "./verb_table.ts";

/** What a server is made from. */
export interface SmtpServerOptions {
  /** Name of the listener, for events and the origin of messages. */
  readonly listener: string;
  /** The name this relay calls itself in greetings and trace fields. */
  readonly hostname: string;
  readonly sink: MessageSink;
  readonly policy: ServerPolicy;
  readonly events: EventSink;
  /** Shared by all servers of the process. */
  readonly deadlines: Deadlines;
  readonly clock?: Clock;
  readonly limits?: Partial<SessionLimits>;
  /** By default all that the server knows; those that lack what they need are left out. */
  readonly extensions?: readonly Extension[];
  readonly services?: Partial<Services>;
  /** Hears of every session that goes on as another client's. */
  readonly onClientChange?: (change: ClientChange) => void;
  /** Hears of every session whose connection is closed. */
  readonly onSessionEnd?: (session: { readonly clientAddress: string }) => void;
}

const NO_SERVICES: Services = {
  tls: { mode: "none" },
  auth: null,
  aliases: null,
  startQueue: null,
};

/**
 * The SMTP server of one listener: it serves connections that others accept. Disposing of it is
 * an orderly shutdown without a time limit.
 */
export class SmtpServer implements AsyncDisposable {
  readonly #context: SessionContext;
  readonly #sessions = new Map<string, Session>();
  #stopping = false;
  /** Resolves when a server that is being stopped has no session any more. */
  readonly #emptied = Promise.withResolvers<void>();

  constructor(options: SmtpServerOptions) {
    const { clock = systemClock, limits, extensions, services, onSessionEnd, ...rest } = options;
    const present = { ...NO_SERVICES, ...services };
    const allLimits = { ...DEFAULT_LIMITS, ...limits };
    const offer = offerOf(extensions ?? EXTENSIONS, present);
    this.#context = {
      ...rest,
      ...present,
      clock,
      limits: allLimits,
      offer,
      longestLineBytes: longestLine(offer, allLimits),
      buffers: new BufferPool(),
      nextId: idGenerator({ clock, random: systemRandom }),
      onClientChange: rest.onClientChange ?? (() => {}),
      onSessionEnd: (session) => {
        onSessionEnd?.(session);
        this.#forget(session.sessionId);
      },
    };
  }

  /** How many sessions are open. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Serves one client; resolves when its connection is closed. Rejects only for a bug. */
  serve(conn: Conn): Promise<void> {
    const session = new Session(conn, this.#context);
    this.#sessions.set(session.sessionId, session);
    if (this.#stopping) session.shutdown();
    return session.run();
  }

  /**
   * Ends every session: those that wait for a command at once with 421, those within a message
   * after it. When `signal` aborts, what is left is cut. Connections that come later get 421.
   */
  async shutdown({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    this.#stopping = true;
    for (const session of this.#sessions.values()) session.shutdown();
    if (this.#sessions.size === 0) this.#emptied.resolve();
    const cut = (): void => {
      for (const session of this.#sessions.values()) session.close();
    };
    if (signal?.aborted) cut();
    signal?.addEventListener("abort", cut, { once: true });
    await this.#emptied.promise;
    signal?.removeEventListener("abort", cut);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #forget(sessionId: string): void {
    this.#sessions.delete(sessionId);
    if (this.#stopping && this.#sessions.size === 0) this.#emptied.resolve();
  }
}

function offerOf(wanted: readonly Extension[], services: Services): Offer {
  const available = wanted.filter((extension) => extension.available?.(services) ?? true);
  const names = new Set(available.map(({ name }) => name));
  return makeOffer({
    baseVerbs: BASE_VERBS,
    extensions: available.filter(({ needs = [] }) => needs.every((name) => names.has(name))),
    known: EXTENSIONS,
  });
}

/** The longest line of any command, in octets with its CRLF. */
function longestLine(offer: Offer, { commandLineBytes }: SessionLimits): number {
  const extra = [...offer.extraLineBytes.values()];
  const own = [...offer.verbs.values()].map(({ maxLineBytes = 0 }) => maxLineBytes);
  return Math.max(commandLineBytes + Math.max(0, ...extra), ...own);
}
