import { encodeText } from "../../src/base/bytes.ts";
import type { Dial } from "../../src/delivery/smtp/options.ts";
import type { Conn } from "../../src/net/conn.ts";
import type { Account } from "./ledger.ts";
import { domainAt, isDeadAt } from "./name_server.ts";
import type { Sky, TransportPlan } from "./plan.ts";
import { SmtpHost } from "./smtp_host.ts";
import type { Life, World } from "./world.ts";

const LOCAL = { address: "192.0.2.1", port: 40_000 };

/** What the wires of one transport lead to. */
export interface WireFacts {
  readonly world: World;
  readonly life: Life;
  readonly plan: TransportPlan;
  readonly skyFor: (domain: string, mailbox: string) => Sky | null;
}

/** Connects a transport to its next hops, in memory. */
export function worldDial(facts: WireFacts): Dial {
  const { world, life, plan, skyFor } = facts;
  return async (target, { signal }) => {
    const address = "address" in target ? target.address : target.path;
    const domain = domainAt(world, address);
    const isDead = isDeadAt(address) && !world.isFinishing;
    const latencyMs = 1 + 50 * world.roll(`dial ${address}`);
    await new Promise<void>((resolve) =>
      world.clock.schedule(latencyMs, { owner: life.wires, callback: resolve })
    );
    if (signal?.aborted) return { kind: "aborted", reason: "given up" };
    const sky = skyFor(domain, `dial ${plan.name} ${address}`);
    const roll = world.roll(`no dial ${address}`);
    if (sky === "down" || isDead) {
      if (roll < 0.4) return { kind: "refused", reason: "connection refused" };
      return { kind: roll < 0.7 ? "timeout" : "unreachable", reason: "no answer" };
    }
    if (sky === "broken") return { kind: "exhausted", reason: "too many open files" };
    const cutAt = sky === "allowance" ? Math.round(2_000 * roll ** 2) : Infinity;
    return { kind: "connected", conn: new WorldConn(facts, { address, cutAt }) };
  };
}

/** The relay's end of a connection to a next hop. */
class WorldConn implements Conn {
  readonly local = LOCAL;
  readonly remote;
  readonly tls = null;
  readonly #facts: WireFacts;
  readonly #host: SmtpHost;
  readonly #cutAt: number;
  #written = 0;
  #inbox: Uint8Array[] = [];
  #isEnded = false;
  #lost: Error | null = null;
  #wake: (() => void) | null = null;
  /** What is under way from the host; it comes in order. */
  readonly #steps: (() => void)[] = [];
  #lastAtMs = 0;

  constructor(facts: WireFacts, { address, cutAt }: { address: string; cutAt: number }) {
    this.#facts = facts;
    this.remote = { address, port: 25 };
    this.#cutAt = cutAt;
    const { world, plan, skyFor } = facts;
    this.#host = new SmtpHost({
      plan,
      roll: (name) => world.roll(`${plan.name} ${name}`),
      skyFor: (mailbox) => skyFor(mailbox.slice(mailbox.lastIndexOf("@") + 1), mailbox),
      take: (mailboxes, data) => {
        for (const mailbox of mailboxes) {
          const account = accountOf(facts, { mailbox, data });
          account?.takes.push({ life: facts.life.number, transport: plan.name, told: "open" });
        }
      },
      refuse: (mailbox) => {
        for (const account of world.ledger.openFor(mailbox)) account.refused = true;
      },
      tooMany: (mailbox) => {
        for (const account of world.ledger.openFor(mailbox)) account.wasTooMany = true;
      },
      hasRoom: (mailbox) => {
        for (const account of world.ledger.openFor(mailbox)) account.wasTooMany = false;
      },
      say: (text) => this.#later(() => this.#receive(text)),
      end: (how) => this.#later(() => this.#end(how)),
    });
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const [first] = this.#inbox;
      if (first !== undefined) {
        const length = Math.min(first.length, into.length);
        into.set(first.subarray(0, length));
        if (length === first.length) this.#inbox.shift();
        else this.#inbox[0] = first.subarray(length);
        return length;
      }
      if (this.#lost !== null) throw this.#lost;
      if (this.#isEnded) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    if (this.#isEnded) return Promise.reject(new Deno.errors.BrokenPipe("it is closed"));
    const rest = Math.max(0, this.#cutAt - this.#written);
    this.#written += data.length;
    this.#host.feed(data.subarray(0, rest));
    if (data.length > rest) this.#later(() => this.#end("reset"));
    return Promise.resolve();
  }

  close(): void {
    this.#lost ??= new Deno.errors.BadResource("it was closed");
    this.#rouse();
  }

  upgradeToTls(): Promise<Conn> {
    return Promise.reject(new Error("Cannot secure a wire of the world: it offers no STARTTLS"));
  }

  #receive(text: string): void {
    if (this.#lost !== null || this.#isEnded) return;
    this.#inbox.push(encodeText(text));
    this.#rouse();
  }

  #end(how: "close" | "reset"): void {
    if (how === "reset") {
      this.#inbox = [];
      this.#lost ??= new Deno.errors.ConnectionReset("Connection reset by peer");
    }
    this.#isEnded = true;
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #later(step: () => void): void {
    this.#steps.push(step);
    const callback = (): void => this.#steps.shift()?.();
    const { world, life } = this.#facts;
    const atMs = Math.max(
      this.#lastAtMs,
      world.clock.elapsedMs + 1 + 100 * world.roll("a reply") ** 4,
    );
    this.#lastAtMs = atMs;
    world.clock.schedule(atMs - world.clock.elapsedMs, { owner: life.wires, callback });
  }
}

/** Whose message it is: what the relay wrote says so, or the subject of what was imported. */
function accountOf(
  { world }: WireFacts,
  { mailbox, data }: { mailbox: string; data: string },
): Account | undefined {
  const open = world.ledger.openFor(mailbox);
  const id = /^Message-ID: <([^@>]+)@relay\.example>/m.exec(data)?.[1] ??
    /^Received: by relay\.example id (\S+)/m.exec(data)?.[1];
  const number = Number(/^Subject: mail (\d+)/m.exec(data)?.[1]);
  return open.find(({ messageId }) => messageId === id) ??
    open.find(({ messageId }) => world.ledger.numberOf(messageId) === number) ?? open[0];
}
