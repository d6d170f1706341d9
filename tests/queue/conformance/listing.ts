/** Every filter with every other one, in every order, against a plain reading of what they mean. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../../src/base/random.ts";
import {
  LIST_ORDERS,
  type ListOrder,
  type MessageDetail,
  type MessageFilter,
  type QueueStore,
} from "../../../src/queue/store.ts";
import { claimOf, idOf, messageOf, NOW_MS, recipientOf } from "../messages.ts";
import type { StoreCase } from "./case.ts";

const MESSAGES = 24;
const PAGE = 5;

const FILTERS: readonly MessageFilter[] = [
  { ids: [3, 4, 4, 7, 11, 12, 15, 19, 23, 77].map(idOf) },
  { states: ["queued"] },
  { states: ["held", "delivered", "failed"] },
  { domain: "one.example" },
  { domain: "example", subdomains: true },
  { sender: "ANN@origin.example" },
  { recipient: "User1@two.example" },
  { transport: "out" },
  { receivedBeforeMs: NOW_MS + 15 },
  { receivedAfterMs: NOW_MS + 4 },
  { listener: "submission" },
  { minSizeBytes: 300 },
  { maxSizeBytes: 600 },
  { minAttempts: 1 },
  { replyStart: "451 4" },
  { text: "SUBJECT 1" },
];

export const listingCases: readonly StoreCase[] = [{
  title: "every pair of filters in every order finds what it says, page by page",
  async run(store) {
    await fill(store);
    const all = await Promise.all(
      Array.from({ length: MESSAGES }, (_, n) => store.get(idOf(n))),
    );
    const details = all.filter((detail) => detail !== null);
    for (const [at, one] of FILTERS.entries()) {
      for (const other of FILTERS.slice(at)) {
        const filter = { ...one, ...other };
        const fit = details.filter((detail) => fitting(detail, filter).length > 0);
        const about = JSON.stringify(filter);
        assertEquals(await store.count(filter), fit.length, `count ${about}`);
        for (const order of LIST_ORDERS) {
          const expected = sorted(fit, { filter, order });
          assertEquals(
            await listed(store, { filter, order }),
            expected,
            `${order} ${about}`,
          );
        }
      }
    }
  },
}];

/** Messages that differ in all that filters look at. */
async function fill(store: QueueStore): Promise<void> {
  const random = seededRandom(7);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.float() * values.length)]!;
  const domains = ["one.example", "two.example", "sub.one.example"];
  for (let number = 0; number < MESSAGES; number++) {
    const plain = messageOf(number);
    const count = 1 + Math.floor(random.float() * 3);
    await store.put({
      ...plain,
      reversePath: pick(["ann@origin.example", "bob@origin.example", ""]),
      origin: { ...plain.origin, listener: pick(["smtp", "submission"]) },
      facts: { ...plain.facts, sizeBytes: pick([100, 300, 300, 600, 900]) },
      summary: { ...plain.summary, subject: `Subject ${number}` },
      recipients: Array.from(
        { length: count },
        (_, index) =>
          recipientOf(`user${index}@${pick(domains)}`, {
            state: pick(["queued", "queued", "queued", "held"]),
            nextAttemptAtMs: NOW_MS + pick([0, 0, 0, 50, 90]),
          }),
      ),
    });
  }
  for (
    const { message, recipients } of (await store.claim(claimOf())).claimed
  ) {
    if (random.float() < 0.2) continue;
    await store.settle({
      ...{
        messageId: message.id,
        owner: "node-a",
        timeline: [],
        notifications: [],
      },
      transport: pick(["out", "other"]),
      recipients: recipients.map(({ index }) => ({
        index,
        reply: pick(["451 4.7.1 Later", "250 2.0.0 OK", "451 5.0.0 Odd"]),
        disposition: pick([
          {
            kind: "retry",
            nextAttemptAtMs: NOW_MS + pick([10, 20, 20]),
            counts: true,
          },
          { kind: "final", state: "delivered" },
          { kind: "final", state: "failed" },
        ]),
      })),
    });
  }
}

type Recipients = MessageDetail["recipients"];

/** The recipients by which a message fits. */
function fitting(
  { message, recipients }: MessageDetail,
  filter: MessageFilter,
): Recipients {
  const { ids, sender, receivedBeforeMs, receivedAfterMs, listener, text } = filter;
  const { minSizeBytes, maxSizeBytes } = filter;
  const { reversePath, receivedAtMs, facts: { sizeBytes }, summary } = message;
  const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
  const paths = recipients.map(({ forwardPath }) => forwardPath);
  const texts = [reversePath, summary.subject, summary.from, ...paths];
  const isFit = (ids?.includes(message.id) ?? true) &&
    (sender === undefined || same(sender, reversePath)) &&
    receivedAtMs < (receivedBeforeMs ?? Infinity) &&
    receivedAtMs > (receivedAfterMs ?? 0) &&
    (listener === undefined || listener === message.origin.listener) &&
    sizeBytes >= (minSizeBytes ?? 0) &&
    sizeBytes <= (maxSizeBytes ?? Infinity) &&
    (text === undefined ||
      texts.some((one) => one.toLowerCase().includes(text.toLowerCase())));
  if (!isFit) return [];
  const {
    states,
    domain,
    subdomains,
    recipient,
    transport,
    minAttempts,
    replyStart,
  } = filter;
  return recipients.filter((one) =>
    (states?.includes(one.state) ?? true) &&
    (domain === undefined || one.domain === domain ||
      subdomains === true && one.domain.endsWith(`.${domain}`)) &&
    (recipient === undefined || same(recipient, one.forwardPath)) &&
    (transport === undefined || transport === one.transport) &&
    one.attempts >= (minAttempts ?? 0) &&
    one.lastReply.startsWith(replyStart ?? "")
  );
}

/** What a message is listed by; null where an order has no place for it. */
function rankOf(
  detail: MessageDetail,
  { filter, order }: { filter: MessageFilter; order: ListOrder },
): number | null {
  const fit = fitting(detail, filter);
  switch (order) {
    case "newest":
    case "oldest":
      return 0;
    case "largest":
      return -detail.message.facts.sizeBytes;
    case "attempts":
      return -Math.max(...fit.map(({ attempts }) => attempts));
    case "next": {
      const queued = fit.filter(({ state }) => state === "queued");
      const times = queued.map(({ nextAttemptAtMs }) => nextAttemptAtMs);
      return times.length === 0 ? null : Math.min(...times);
    }
  }
}

function sorted(
  details: readonly MessageDetail[],
  wanted: { filter: MessageFilter; order: ListOrder },
): string[] {
  const isUpward = wanted.order === "oldest" || wanted.order === "next";
  return details
    .map((detail, sequence) => ({
      detail,
      sequence,
      rank: rankOf(detail, wanted),
    }))
    .filter(({ rank }) => rank !== null)
    .sort((a, b) =>
      (a.rank ?? 0) - (b.rank ?? 0) ||
      (a.sequence - b.sequence) * (isUpward ? 1 : -1)
    )
    .map(({ detail }) => detail.message.id);
}

async function listed(
  store: QueueStore,
  { filter, order }: { filter: MessageFilter; order: ListOrder },
): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const from: { cursor?: string } = cursor === "" ? {} : { cursor };
    const page = await store.list({ filter, order, limit: PAGE, ...from });
    found.push(...page.items.map(({ message }) => message.id));
    cursor = page.cursor;
  }
  return found;
}
