import { assertEquals } from "@std/assert";
import type {
  MessageFilter,
  QueueCommand,
  QueueStore,
  Readdressing,
} from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf, settlementOf } from "../messages.ts";
import { detailOf, statesOf, type StoreCase, textOf } from "./case.ts";

const LATER_MS = NOW_MS + 5_000;
const LEASE = { owner: "node-a", untilMs: NOW_MS + 60_000 };
/** Commands that are no more than a word. */
type PlainCommand = Exclude<QueueCommand, { kind: "reroute" | "readdress" }>;

function apply(
  store: QueueStore,
  kind: PlainCommand["kind"],
  filter: MessageFilter = {},
): Promise<number> {
  return store.command({ filter, command: { kind }, nowMs: LATER_MS, by: "operator" });
}

export const commandCases: readonly StoreCase[] = [
  {
    title: "hold and release, with a line each in the timeline",
    async run(store) {
      await store.put(messageOf(1));
      assertEquals(await apply(store, "hold"), 1);
      assertEquals(await statesOf(store, 1), ["held"]);
      assertEquals(await apply(store, "hold"), 0);
      assertEquals((await store.claim(claimOf())).claimed, []);
      assertEquals(await apply(store, "release"), 1);
      const { recipients: [recipient], timeline } = await detailOf(store, 1);
      assertEquals(recipient?.state, "queued");
      assertEquals(recipient?.nextAttemptAtMs, LATER_MS);
      assertEquals(recipient?.released, true);
      const line = { atMs: LATER_MS, recipients: [0], detail: { by: "operator" } };
      assertEquals(timeline, [{ ...line, kind: "held" }, { ...line, kind: "released" }]);
      assertEquals((await store.claim(claimOf({ nowMs: LATER_MS }))).claimed.length, 1);
    },
  },
  {
    title: "retry makes queued recipients due and leaves held ones",
    async run(store) {
      const nextAttemptAtMs = NOW_MS + 1e6;
      const to = [
        recipientOf("a@dest.example", { nextAttemptAtMs }),
        recipientOf("b@dest.example", { state: "held", nextAttemptAtMs }),
      ];
      await store.put(messageOf(1, { to }));
      assertEquals(await apply(store, "retry"), 1);
      const { recipients } = await detailOf(store, 1);
      assertEquals(recipients.map(({ nextAttemptAtMs }) => nextAttemptAtMs), [
        LATER_MS,
        nextAttemptAtMs,
      ]);
      assertEquals(await apply(store, "retry"), 1, "what is due may wait for a way that is down");
    },
  },
  {
    title: "a command for a domain and those below it",
    async run(store) {
      const nextAttemptAtMs = NOW_MS + 1e6;
      const domains = ["dest.example", "mx.dest.example", "notdest.example", "example"];
      for (const [index, domain] of domains.entries()) {
        const to = [recipientOf(`a@${domain}`, { nextAttemptAtMs })];
        await store.put(messageOf(index + 1, { to }));
      }
      const filter = { domain: "dest.example", subdomains: true };
      assertEquals(await apply(store, "retry", filter), 2);
      assertEquals(await store.count(filter), 2);
    },
  },
  {
    title: "bounce makes recipients due that whoever claims them gives up",
    async run(store) {
      const nextAttemptAtMs = NOW_MS + 1e6;
      const to = [
        recipientOf("a@dest.example", { nextAttemptAtMs }),
        recipientOf("b@dest.example", { state: "held" }),
      ];
      await store.put(messageOf(1, { to }));
      assertEquals(await apply(store, "bounce"), 1);
      assertEquals(await apply(store, "bounce"), 0);
      const { claimed } = await store.claim(claimOf({ nowMs: LATER_MS }));
      assertEquals(claimed[0]?.recipients.map(({ returned }) => returned), [true, true]);
    },
  },
  {
    title: "delete forgets whole messages, done or not, claimed or not",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@one.example", "b@two.example"] }));
      await store.put(messageOf(2));
      await store.put(messageOf(3, { to: ["c@one.example"] }));
      await store.claim(claimOf());
      await store.settle(settlementOf(3));
      assertEquals(await apply(store, "delete", { domain: "one.example" }), 2);
      assertEquals(await store.get(idOf(1)), null);
      assertEquals(await store.body(idOf(1)), null);
      await store.settle(settlementOf(1));
      const { recipients, liveMessages } = await store.stats();
      assertEquals([recipients.queued, recipients.delivered, liveMessages], [1, 0, 1]);
      assertEquals(await store.count({}), 1);
    },
  },
  {
    title: "cancel ends what is not final and lets go of the octets",
    async run(store) {
      await store.put(messageOf(1, {
        to: ["a@dest.example", recipientOf("b@dest.example", { state: "held" })],
      }));
      assertEquals(await apply(store, "cancel"), 1);
      assertEquals(await statesOf(store, 1), ["cancelled", "cancelled"]);
      assertEquals(await textOf(store, 1), null);
      assertEquals(await apply(store, "release"), 0);
      assertEquals(await apply(store, "cancel"), 0);
      assertEquals((await detailOf(store, 1)).timeline.length, 1);
    },
  },
  {
    title: "reroute names the transport of every attempt to come, and of the last one otherwise",
    async run(store) {
      const nextAttemptAtMs = NOW_MS + 1e6;
      const to = [
        recipientOf("a@dest.example", { nextAttemptAtMs }),
        recipientOf("b@dest.example", { state: "held", nextAttemptAtMs }),
        recipientOf("c@other.example", { nextAttemptAtMs }),
      ];
      await store.put(messageOf(1, { to }));
      const reroute = (transport: string | null, filter: MessageFilter = {}) =>
        store.command({
          ...{ filter, nowMs: LATER_MS, by: "operator" },
          command: { kind: "reroute", transport },
        });
      assertEquals(await reroute("backup", { domain: "dest.example" }), 1);
      assertEquals(await reroute("backup", { domain: "dest.example" }), 0);
      const { recipients, timeline } = await detailOf(store, 1);
      assertEquals(
        recipients.map(({ transport, rerouted, nextAttemptAtMs: atMs }) => [
          ...[transport, rerouted],
          atMs,
        ]),
        [
          ["backup", true, LATER_MS],
          ["backup", true, nextAttemptAtMs],
          [undefined, undefined, nextAttemptAtMs],
        ],
      );
      const detail = { by: "operator", transport: "backup" };
      assertEquals(timeline, [{ atMs: LATER_MS, kind: "rerouted", recipients: [0, 1], detail }]);
      assertEquals(await store.count({ transport: "backup", states: ["held"] }), 1);
      const paused = new Map([["dest.example", { untilMs: LATER_MS + 1e6, reason: "451 down" }]]);
      const { claimed } = await store.claim(claimOf({ nowMs: LATER_MS, paused }));
      assertEquals(claimed[0]?.recipients.map(({ transport }) => transport), ["backup"]);
      const retry = { kind: "retry", nextAttemptAtMs, counts: true } as const;
      const recipientsOf = [{ index: 0, disposition: retry, reply: "451 later" }];
      await store.settle(settlementOf(1, { recipients: recipientsOf, transport: "mx" }));
      assertEquals((await detailOf(store, 1)).recipients[0]?.transport, "backup");
      assertEquals(await reroute(null), 1);
      await store.claim(claimOf({ nowMs: LATER_MS }));
      await store.settle(settlementOf(1, { recipients: recipientsOf, transport: "mx" }));
      const [first, second] = (await detailOf(store, 1)).recipients;
      assertEquals([first?.transport, first?.rerouted, second?.transport], [
        ...["mx", undefined],
        undefined,
      ]);
      assertEquals(await store.count({ transport: "mx", minAttempts: 2 }), 1);
    },
  },
  {
    title: "a message may enter with a transport and released",
    async run(store) {
      const to = [recipientOf("a@dest.example", { transport: "backup", released: true })];
      await store.put(messageOf(1, { to }));
      const { claimed } = await store.claim(claimOf());
      const [recipient] = claimed[0]?.recipients ?? [];
      assertEquals([recipient?.transport, recipient?.rerouted, recipient?.released], [
        ...["backup", true],
        true,
      ]);
    },
  },
  {
    title: "readdress replaces, adds and removes recipients of what is not done",
    async run(store) {
      const notify = ["FAILURE"] as const;
      await store.put(messageOf(1, {
        to: [recipientOf("a@old.example", { notify }), "b@two.example"],
      }));
      await store.put(messageOf(2, { to: ["c@two.example"] }));
      await store.put(messageOf(3, { to: ["A@old.example"], lease: LEASE }));
      await store.settle(settlementOf(3));
      const readdress = (command: Readdressing, filter: MessageFilter = {}) =>
        store.command({
          ...{ filter, nowMs: LATER_MS, by: "operator" },
          command: { kind: "readdress", ...command },
        });
      const fresh = { forwardPath: "a@new.example", domain: "new.example" };
      assertEquals(await readdress({ remove: "A@OLD.example", add: [fresh] }), 1);
      const { recipients, timeline, message } = await detailOf(store, 1);
      assertEquals(message.id, idOf(1));
      assertEquals(
        recipients.map(({ forwardPath, state }) => `${forwardPath} ${state}`),
        ["a@old.example cancelled", "b@two.example queued", "a@new.example queued"],
      );
      assertEquals(recipients[2]?.notify, [...notify]);
      assertEquals(recipients[2]?.nextAttemptAtMs, LATER_MS);
      const detail = { by: "operator", removed: "A@OLD.example", added: ["a@new.example"] };
      assertEquals(timeline, [{ atMs: LATER_MS, kind: "readdressed", recipients: [0, 2], detail }]);
      assertEquals(await statesOf(store, 3), ["delivered"]);
      assertEquals(await readdress({ add: [fresh] }), 1, "only the second lacks it and waits");
      assertEquals(await readdress({ add: [fresh] }), 0);
      assertEquals(await store.count({ recipient: "a@new.example", states: ["queued"] }), 2);
      const counts = (await store.stats()).recipients;
      assertEquals([counts.queued, counts.cancelled, counts.delivered], [4, 1, 1]);
      assertEquals(await readdress({ remove: "c@two.example", add: [] }), 1);
      assertEquals(await readdress({ remove: "a@new.example", add: [] }, { ids: [idOf(2)] }), 1);
      assertEquals(await textOf(store, 2), null);
    },
  },
  {
    title: "holding a claimed recipient takes the claim away",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example"] }));
      await store.claim(claimOf());
      assertEquals(await apply(store, "hold"), 1);
      assertEquals((await detailOf(store, 1)).recipients[0]?.claimedBy, null);
      const retry = { kind: "retry", nextAttemptAtMs: NOW_MS, counts: true } as const;
      await store.settle(settlementOf(1, {
        recipients: [
          { index: 0, disposition: retry, reply: "451 later" },
          { index: 1, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
        ],
      }));
      assertEquals(await statesOf(store, 1), ["held", "delivered"]);
      assertEquals((await store.claim(claimOf())).claimed, []);
    },
  },
  {
    title: "a claimed recipient that is cancelled stays so, unless it was delivered",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@dest.example", "b@dest.example"] }));
      await store.claim(claimOf());
      assertEquals(await apply(store, "cancel"), 1);
      await store.settle(settlementOf(1, {
        recipients: [
          {
            index: 0,
            disposition: { kind: "final", state: "failed" },
            reply: "550 no",
          },
          { index: 1, disposition: { kind: "final", state: "delivered" }, reply: "250 ok" },
        ],
        notifications: [],
      }));
      assertEquals(await statesOf(store, 1), ["cancelled", "delivered"]);
      const { recipients, liveMessages } = await store.stats();
      assertEquals([recipients.cancelled, recipients.delivered, liveMessages], [1, 1, 0]);
    },
  },
  {
    title: "retry leaves a claimed recipient with its owner",
    async run(store) {
      await store.put(messageOf(1));
      await store.claim(claimOf());
      assertEquals(await apply(store, "retry"), 0);
      assertEquals((await detailOf(store, 1)).recipients[0]?.claimedBy, "node-a");
    },
  },
  {
    title: "a command reaches the recipients that the filter means, and no others",
    async run(store) {
      await store.put(messageOf(1, { to: ["a@one.example", "b@two.example"] }));
      await store.put(messageOf(2, { to: ["a@one.example"] }));
      await store.put(messageOf(3, { to: ["c@two.example"] }));
      assertEquals(await apply(store, "hold", { domain: "two.example" }), 2);
      assertEquals(await statesOf(store, 1), ["queued", "held"]);
      assertEquals(await apply(store, "cancel", { recipient: "A@ONE.example", ids: [idOf(1)] }), 1);
      assertEquals(await statesOf(store, 1), ["cancelled", "held"]);
      assertEquals(await statesOf(store, 2), ["queued"]);
      assertEquals(await apply(store, "cancel", { states: ["held"] }), 2);
      assertEquals(await statesOf(store, 3), ["cancelled"]);
    },
  },
  {
    title: "a command on more messages than fit one transaction",
    async run(store) {
      const numbers = Array.from({ length: 450 }, (_, number) => number);
      await Promise.all(numbers.map((number) => store.put(messageOf(number))));
      assertEquals(await apply(store, "hold", { sender: "SENDER@origin.example" }), 450);
      assertEquals((await store.stats()).recipients.held, 450);
    },
  },
];
