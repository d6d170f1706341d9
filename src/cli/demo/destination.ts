import { systemClock } from "../../base/clock.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { TaskGroup } from "../../base/task_group.ts";
import { reply } from "../../mail/reply.ts";
import { listen } from "../../net/listener.ts";
import { ACCEPT, refuse } from "../../policy/decision.ts";
import { OPEN_POLICY, type ServerPolicy } from "../../reception/policy.ts";
import { SmtpServer } from "../../smtp/server/server.ts";
import type { MessageSink } from "../../smtp/server/sink.ts";

/** Recipients in this domain are deferred once. */
export const SLOW_DOMAIN = "slow.example";
/** Recipients whose local part begins like this do not exist. */
export const UNKNOWN_PREFIX = "unknown-";

const DEFERRED = reply(451, "4.7.1", "Greylisted, try again in a second");
const UNKNOWN = reply(550, "5.1.1", "No such mailbox here");

/** A mail server of the demo's own, in the place of the world's. */
export interface Destination extends AsyncDisposable {
  readonly port: number;
  /** Messages and octets that it took. */
  taken(): { readonly messages: number; readonly sizeBytes: number };
}

/** Starts a server on loopback that accepts mail, defers some of it once and refuses some. */
export async function startDestination(): Promise<Destination> {
  const deadlines = new Deadlines({ clock: systemClock });
  const sink = new CountingSink();
  const server = new SmtpServer({
    listener: "destination",
    hostname: "mail.destination.example",
    sink,
    policy: destinationPolicy(),
    events: () => {},
    deadlines,
  });
  const sessions = new TaskGroup(() => {});
  const listener = await listen({ address: "127.0.0.1", port: 0 }, {
    onConn: (conn) => sessions.run(() => server.serve(conn)),
    onError: () => {},
  });
  return {
    port: listener.local.port,
    taken: () => sink.taken(),
    async [Symbol.asyncDispose]() {
      listener.stop();
      await server.shutdown();
      await sessions.idle();
      await listener[Symbol.asyncDispose]();
      deadlines[Symbol.dispose]();
    },
  };
}

function destinationPolicy(): ServerPolicy {
  const seen = new Set<string>();
  return {
    ...OPEN_POLICY,
    rcpt(_facts, { recipient, reversePath }) {
      if (recipient.localPart.startsWith(UNKNOWN_PREFIX)) return refuse(UNKNOWN);
      const key = `${reversePath} ${recipient.text}`;
      if (recipient.domain !== SLOW_DOMAIN || seen.has(key)) return ACCEPT;
      seen.add(key);
      return refuse(DEFERRED);
    },
  };
}

/** Counts messages and keeps none. */
class CountingSink implements MessageSink {
  #messages = 0;
  #sizeBytes = 0;

  taken(): { messages: number; sizeBytes: number } {
    return { messages: this.#messages, sizeBytes: this.#sizeBytes };
  }

  begin(): ReturnType<MessageSink["begin"]> {
    let sizeBytes = 0;
    return {
      id: crypto.randomUUID(),
      write: (chunk) => void (sizeBytes += chunk.length),
      commit: () => {
        this.#messages++;
        this.#sizeBytes += sizeBytes;
        return Promise.resolve({ kind: "stored" });
      },
      abort: () => Promise.resolve(),
    };
  }
}
