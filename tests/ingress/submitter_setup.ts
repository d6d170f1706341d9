import { idGenerator } from "../../src/base/ids.ts";
import { seededRandom } from "../../src/base/random.ts";
import { concatBytes, decodeText } from "../../src/base/bytes.ts";
import { RequestKeys } from "../../src/ingress/request_keys.ts";
import { MessageSubmitter, type SubmitterLimits } from "../../src/ingress/submitter.ts";
import { summarize } from "../../src/mail/summary.ts";
import type { RelayEvent } from "../../src/observe/events.ts";
import type { AliasMap } from "../../src/policy/aliases.ts";
import { DomainSet } from "../../src/policy/domain_set.ts";
import { parseNetwork } from "../../src/policy/network.ts";
import { Intake } from "../../src/queue/intake.ts";
import { openMemoryStore } from "../../src/queue/memory/store.ts";
import type { QueueStore } from "../../src/queue/store.ts";
import { receptionPolicy } from "../../src/reception/policy.ts";
import { ManualClock } from "../support/manual_clock.ts";

/** A submitter over a queue in memory, with the rules of a relay. */
export interface SubmitterBench {
  readonly submitter: MessageSubmitter;
  readonly store: QueueStore;
  readonly clock: ManualClock;
  readonly events: RelayEvent[];
  /** The octets of a message as text. */
  text(id: string): Promise<string>;
  /** Queue ids, the oldest first. */
  ids(): Promise<string[]>;
}

/** 10.0.0.0/8 may send to anyone, others to ours.example. */
export function submitterBench(
  { limits = {}, store, aliases = null, keepsBcc = false }: {
    limits?: Partial<SubmitterLimits>;
    store?: QueueStore;
    aliases?: AliasMap | null;
    keepsBcc?: boolean;
  } = {},
): SubmitterBench {
  const clock = new ManualClock();
  const queue = store ?? openMemoryStore({ clock });
  const events: RelayEvent[] = [];
  const intake = new Intake({
    store: queue,
    scheduler: { reserve: () => null, unreserve() {}, enterReserved() {}, wake() {} },
    clock,
    emit: (event) => events.push(event),
    newId: idGenerator({ clock, random: seededRandom(1) }),
    summarize,
    limits: { spoolThresholdBytes: 64 * 1024, expireMs: 1e9 },
  });
  const trusted = parseNetwork("10.0.0.0/8");
  if (trusted.kind === "error") throw new Error(trusted.reason);
  const policy = receptionPolicy({
    relay: {
      trustedNetworks: [trusted.network],
      relayDomains: new DomainSet(["ours.example"]),
      ownNames: new DomainSet(["relay.example"]),
    },
    keepsBcc,
  });
  const submitter = new MessageSubmitter({
    sink: intake,
    policy: () => policy,
    aliases: () => aliases,
    limits: () => ({
      ...{
        hostname: "relay.example",
        messageBytes: 1_000_000,
        recipients: 100,
        hops: 50,
        maxHoldMs: 86_400_000,
      },
      ...limits,
    }),
    keys: new RequestKeys({
      shelf: queue.shelf,
      isStored: async (id) => await queue.get(id) !== null,
      now: () => clock.now(),
    }),
    clock,
    events: (event) => events.push(event),
  });
  return {
    ...{ submitter, store: queue, clock, events },
    async text(id) {
      const body = await queue.body(id);
      return body === null ? "" : decodeText(concatBytes(await Array.fromAsync(body)));
    },
    async ids() {
      const { items } = await queue.list({ filter: {}, limit: 100 });
      return items.map(({ message }) => message.id).reverse();
    },
  };
}
