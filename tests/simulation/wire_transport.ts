import { Deadlines } from "../../src/base/deadlines.ts";
import { MxTransport } from "../../src/delivery/mx.ts";
import { LmtpTransport } from "../../src/delivery/lmtp.ts";
import { SmarthostTransport } from "../../src/delivery/smarthost.ts";
import type { SmtpTransportOptions } from "../../src/delivery/smtp/options.ts";
import type {
  DeliverOptions,
  DeliveryJob,
  DeliveryReport,
  Transport,
} from "../../src/delivery/transport.ts";
import { diceOf } from "./dice.ts";
import { checkOutcome } from "./invariants.ts";
import { isMadeUp } from "./made_up.ts";
import { beginAll, markMisfits, skyFor } from "./next_hops.ts";
import type { TransportPlan } from "./plan.ts";
import { worldResolver } from "./name_server.ts";
import { worldDial } from "./wire.ts";
import type { Life, World } from "./world.ts";

/** A real transport that speaks SMTP, with next hops in memory, and somebody who watches it. */
export class WireTransport implements Transport {
  readonly name: string;
  readonly kind: string;
  readonly sharedDestination?: string;
  readonly maxConcurrency: number;
  readonly maxRecipients: number;
  readonly plan: TransportPlan;
  readonly maxRecipientsOf?: NonNullable<Transport["maxRecipientsOf"]>;
  readonly #inner: Transport;
  readonly #world: World;
  readonly #life: Life;
  readonly #deadlines: Deadlines;
  #running = 0;
  #isEnded = false;

  constructor(plan: TransportPlan, { world, life }: { world: World; life: Life }) {
    const clock = world.clock.viewFor(life);
    this.#deadlines = new Deadlines({ clock, granularityMs: 5_000 });
    this.#inner = innerTransport(plan, { world, life, deadlines: this.#deadlines });
    this.plan = plan;
    this.name = plan.name;
    this.kind = this.#inner.kind;
    this.maxConcurrency = plan.maxConcurrency;
    this.maxRecipients = plan.maxRecipients;
    const { sharedDestination, maxRecipientsOf } = this.#inner;
    if (sharedDestination !== undefined) this.sharedDestination = sharedDestination;
    if (maxRecipientsOf !== undefined) {
      this.maxRecipientsOf = (message) => maxRecipientsOf.call(this.#inner, message);
    }
    this.#world = world;
    this.#life = life;
  }

  destinationOf(domain: string): string {
    return this.#inner.destinationOf(domain);
  }

  async deliver(job: DeliveryJob, options: DeliverOptions): Promise<DeliveryReport> {
    const world = this.#world;
    if (this.#isEnded) {
      world.fail("an attempt begins only by a transport in force", `${job.message.id}`);
    }
    const { id } = job.message;
    const accounts = job.recipients.map(({ forwardPath }) => world.ledger.account(id, forwardPath));
    const mailboxes = accounts.map(({ mailbox }) => mailbox).join(" ");
    world.note(() => `  ${this.name} begins ${id} for ${mailboxes}`);
    this.#running++;
    await beginAll(accounts, { world, life: this.#life });
    markMisfits(accounts, { sizeBytes: job.message.facts.sizeBytes, plan: this.plan });
    try {
      const report = await this.#inner.deliver(job, options);
      accounts.forEach((account, place) => {
        checkOutcome(world, { account, outcome: report.outcomes[place] });
      });
      return report;
    } finally {
      for (const account of accounts) world.ledger.end(account);
      this.#running--;
      this.#endDeadlines();
      world.note(() => `  ${this.name} ends ${id}`);
    }
  }

  /** Nothing may begin by it any more. */
  retire(): void {
    this.#isEnded = true;
  }

  /** The configuration has it no longer: it ends when what it does has ended. */
  end(): void {
    this.#isEnded = true;
    this.#inner[Symbol.asyncDispose]();
    this.#endDeadlines();
  }

  /** They are needed until the last attempt has ended. */
  #endDeadlines(): void {
    if (this.#isEnded && this.#running === 0) this.#deadlines[Symbol.dispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    await this.#inner[Symbol.asyncDispose]();
    this.#deadlines[Symbol.dispose]();
  }
}

function innerTransport(
  plan: TransportPlan,
  { world, life, deadlines }: { world: World; life: Life; deadlines: Deadlines },
): Transport {
  const { name } = plan;
  const { downMs } = world.plan.settings;
  const facts = {
    ...{ world, life, plan },
    skyFor: (domain: string, mailbox: string) =>
      skyFor(world, { transport: name, domain, mailbox }),
  };
  const options: SmtpTransportOptions = {
    ...{ name, heloName: "relay.example" },
    services: {
      clock: world.clock.viewFor(life),
      random: diceOf(world.plan.seed, `wire ${name} ${life.number}`),
      deadlines,
      dial: worldDial(facts),
      resolver: worldResolver(facts),
      onError: (error) => {
        if (!isMadeUp(error)) world.fail("no trouble of its own making", String(error));
      },
    },
    failureMemoryMs: Math.min(downMs / 2, 15_000),
    maxConcurrency: plan.maxConcurrency,
    maxRecipients: plan.maxRecipients,
  };
  if (plan.kind === "mx") return new MxTransport(options);
  return plan.isLmtp
    ? new LmtpTransport({ ...options, servers: HOSTS })
    : new SmarthostTransport({ ...options, hosts: HOSTS });
}

const HOSTS = [{ host: "198.51.100.1", port: 25 }, { host: "198.51.100.2", port: 25 }];
