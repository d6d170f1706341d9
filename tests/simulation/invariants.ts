/**
 * What an operator may rely on, whatever happens. Each rule stands here once, with the words in
 * which a failing seed reports it.
 */
import type { Scheduler } from "../../src/delivery/scheduler.ts";
import type { Outcome } from "../../src/delivery/transport.ts";
import type { MessageDetail, Settlement } from "../../src/queue/store.ts";
import { type Account, keyOf } from "./ledger.ts";
import { HOUR_MS, MINUTE_MS } from "./plan.ts";
import { domainOf } from "./relay.ts";
import type { Life, World } from "./world.ts";

type Recipient = MessageDetail["recipients"][number];

/** Before an attempt: nobody else is at it, and no next hop has the message already. */
export function checkBegin(
  world: World,
  { account, life }: { account: Account; life: Life },
): void {
  const { messageId, mailbox, takes, openIn } = account;
  if (openIn === life.number) {
    world.fail("a recipient has one attempt at a time", `${messageId} to ${mailbox}`);
  }
  const known = takes.find(({ told, life: taker }) =>
    told === "delivered" && (taker === life.number || world.endedWell.has(taker))
  );
  if (known !== undefined) {
    world.fail(
      "nothing is delivered twice unless a crash or a lost reply explains it",
      `${messageId} to ${mailbox} is tried again, although ${known.transport} delivered it`,
    );
  }
}

/** After an attempt: what the relay says of it is what the next hop did. */
export function checkOutcome(
  world: World,
  { account, outcome }: { account: Account; outcome: Outcome | undefined },
): void {
  const { takes, messageId, mailbox } = account;
  const take = takes.find(({ told }) => told === "open");
  const about = `${messageId} to ${mailbox}: ${outcome?.reply.lines.join(" ")}`;
  if (outcome?.kind === "delivered" && take === undefined) {
    world.fail("nothing is called delivered that no next hop took", about);
  }
  if (outcome?.kind === "permanent" && !account.refused) {
    world.fail("nothing bounces that some transport in force would have taken", about);
  }
  const { wasTooMany } = account;
  account.wasTooMany = false;
  const isCounted = outcome?.kind === "temporary" && outcome.counts !== false;
  if (wasTooMany && isCounted && (outcome.reply.code === 452 || outcome.reply.code === 552)) {
    world.fail("who was too many goes at once, in the next transaction", about); // RFC 5321 4.5.3.1.10
  }
  if (outcome?.kind === "uncertain") account.unsure = true;
  for (const one of takes) {
    if (one.told === "open") one.told = outcome?.kind === "delivered" ? "delivered" : "unsure";
  }
}

/** Before an attempt: what the store says is final stays so. */
export async function checkClaims(world: World, accounts: readonly Account[]): Promise<void> {
  const [first] = accounts;
  if (first === undefined || world.roll("look at a claim") > world.ground.lookShare) return;
  const detail = await world.ground.peek(first.messageId);
  for (const { messageId, mailbox } of accounts) {
    const recipient = detail?.recipients.find(({ forwardPath }) => forwardPath === mailbox);
    const state = recipient?.state ?? "gone";
    const isCancelled = state === "cancelled" && world.ledger.cancelled.has(messageId);
    if (state === "held" && world.ledger.held.has(messageId)) {
      world.fail("what is held is not tried", `${messageId} to ${mailbox}`);
    }
    if (state !== "delivered" && state !== "failed" && state !== "expired" && !isCancelled) {
      continue;
    }
    world.fail("what is final is not tried", `${messageId} to ${mailbox} is ${state}`);
  }
}

/** How soon a relay without work asks again after the store refused a claim. */
export const CLAIM_AGAIN_MS = 10_000;

/** A claim that failed is made again soon, where nothing else happened and nothing is under way. */
export function checkClaimedAgain(
  world: World,
  { startedMs, failedMs }: { startedMs: number; failedMs: number },
): void {
  const { clock, meddledAtMs } = world;
  const isLate = clock.elapsedMs - failedMs > CLAIM_AGAIN_MS; // it had no turn meanwhile
  if (isLate || meddledAtMs >= startedMs || !world.isIdle()) return;
  world.fail("a claim that failed is made again soon", `not within ${CLAIM_AGAIN_MS} ms`);
}

/** After a settlement: who lost a claim changed nothing, and told nobody. */
export async function checkSettled(
  world: World,
  { settlement, before, after }: {
    settlement: Settlement;
    before: MessageDetail;
    after: MessageDetail | null;
  },
): Promise<void> {
  const { messageId, owner, recipients, notifications } = settlement;
  const lost = recipients.filter(({ index, disposition }) => {
    const isDelivery = disposition.kind === "final" && disposition.state === "delivered";
    return !isDelivery && before.recipients[index]?.claimedBy !== owner;
  });
  for (const { index } of lost) {
    const [was, is] = [before.recipients[index], after?.recipients[index]];
    if (was === undefined || is === undefined || was.attempts === is.attempts) continue;
    world.fail(
      "a settlement changes nothing where the claim is lost",
      `${messageId} to ${was.forwardPath}, claimed by ${was.claimedBy}: ${is.lastReply}`,
    );
  }
  if (lost.length < recipients.length || settlement.again === true) return;
  for (const { id } of notifications) {
    if (recipients.length === 0 || await world.ground.peek(id) === null) continue;
    world.fail("only what was recorded is reported", `${id} about ${messageId}`);
  }
}

/** At any moment: each recipient in the window has one holder of its next step. */
export function checkNextSteps(world: World, faults: readonly string[]): void {
  if (faults.length > 0) world.fail("nothing is without a next step", faults.join("; "));
}

/** What was due at a time, with what would show that somebody looked at it. */
export type DueThen = ReadonlyMap<string, string>;

/** Everything queued that is due. */
export async function dueNow(world: World): Promise<DueThen> {
  const nowMs = world.clock.wallMs;
  const due = new Map<string, string>();
  for (const detail of await world.ground.peekAll()) {
    for (const recipient of detail.recipients) {
      if (recipient.state !== "queued" || recipient.nextAttemptAtMs > nowMs) continue;
      due.set(
        keyOf(detail.message.id, recipient.forwardPath),
        signOf(world, { detail, recipient }),
      );
    }
  }
  return due;
}

/** In good weather, what is due is tried: nothing is without a next step. */
export async function checkMoved(world: World, before: DueThen): Promise<void> {
  for (const [key, sign] of await dueNow(world)) {
    if (before.get(key) !== sign) continue;
    world.fail("what is due is tried when nothing is in its way", `${key}: ${sign}`);
  }
}

/** In good weather fresh mail is tried soon, whatever stands in the queue since the bad one. */
export function checkProbes(world: World, probes: readonly Account[]): void {
  for (const { messageId, mailbox, attempts } of probes) {
    if (attempts > 0) continue;
    world.fail("fresh mail is tried soon when nothing is in its way", `${messageId} to ${mailbox}`);
  }
}

function signOf(
  world: World,
  { detail, recipient }: { detail: MessageDetail; recipient: Recipient },
): string {
  const { nextAttemptAtMs, attempts, claimedBy, forwardPath } = recipient;
  const tries = world.ledger.account(detail.message.id, forwardPath).attempts;
  const due = new Date(nextAttemptAtMs).toISOString();
  return `due ${due}, claimed by ${claimedBy}, ${attempts} counted, ${tries} made`;
}

/** No claim is left by a relay that is gone. */
export async function checkOwners(world: World, owner: string | null): Promise<void> {
  for (const { message, recipients } of await world.ground.peekAll()) {
    for (const { claimedBy, forwardPath } of recipients) {
      if (claimedBy === null || claimedBy === owner) continue;
      world.fail(
        "every claim has an owner that works on it",
        `${message.id} to ${forwardPath} is claimed by ${claimedBy}, but ${owner} is the relay`,
      );
    }
  }
}

/** Recipients that are not final. */
export async function unfinished(world: World): Promise<string[]> {
  const open: string[] = [];
  for (const detail of await world.ground.peekAll()) {
    for (const recipient of detail.recipients) {
      const { state, forwardPath, claimedBy, lastReply, nextAttemptAtMs } = recipient;
      if (state !== "queued" && state !== "held") continue;
      const due = new Date(nextAttemptAtMs).toISOString();
      open.push(
        `${detail.message.id} to ${forwardPath}: ${state}, due ${due}, ` +
          `claimed by ${claimedBy}, last "${lastReply}"`,
      );
    }
  }
  return open;
}

/** When the world has been well for long, everything is final and accounted for. */
export async function checkEnd(world: World, { healedWallMs }: { healedWallMs: number }) {
  const details = await world.ground.peekAll();
  const byId = new Map(details.map((detail) => [detail.message.id, detail]));
  for (const [id, mailboxes] of world.ledger.accepted) {
    const detail = byId.get(id);
    for (const mailbox of mailboxes) {
      if (detail?.recipients.some(({ forwardPath }) => forwardPath === mailbox)) continue;
      world.fail("every accepted recipient is accounted for", `${id} to ${mailbox} is gone`);
    }
  }
  checkImports(world, details);
  for (const detail of details) {
    for (const recipient of detail.recipients) {
      checkFinal(world, { detail, recipient, healedWallMs });
      checkNotice(world, { detail, recipient });
    }
  }
  await checkOutbox(world, byId);
}

/** However often an import is repeated, each message of it is in the queue once. */
function checkImports(world: World, details: readonly MessageDetail[]): void {
  const seen = new Set<string>();
  for (const { message: { id, origin, summary: { subject } } } of details) {
    if (origin.listener !== "import") continue;
    if (seen.has(subject)) world.fail("an import brings each message once", `${id}: ${subject}`);
    seen.add(subject);
  }
}

interface FinalFacts {
  readonly detail: MessageDetail;
  readonly recipient: Recipient;
}

/** Each final state is explained by what happened outside. */
function checkFinal(
  world: World,
  { detail, recipient, healedWallMs }: FinalFacts & { healedWallMs: number },
): void {
  const { message } = detail;
  const { forwardPath, state, lastReply } = recipient;
  const account = world.ledger.account(message.id, forwardPath);
  const about = `${message.id} to ${forwardPath}: ${lastReply}`;
  const { uncertain, retryMs } = world.plan.settings;
  switch (state) {
    case "delivered":
      if (account.takes.length > 0 || uncertain === "deliver" && account.unsure) return;
      return world.fail("nothing is called delivered that no next hop took", about);
    case "failed":
      if (isRefusalExplained(world, { detail, recipient, account })) return;
      return world.fail("nothing bounces that some transport in force would have taken", about);
    case "cancelled":
      if (world.ledger.commanded.has(message.id)) return;
      return world.fail("nothing is cancelled but by an operator", about);
    case "expired": {
      const latestMs = healedWallMs + 2 * HOUR_MS + 1.1 * Math.max(...retryMs);
      if (message.expiresAtMs < latestMs) return;
      return world.fail("nothing expires that a next hop would take", about);
    }
  }
}

function isRefusalExplained(
  world: World,
  { detail: { message }, recipient: { forwardPath, transport, rerouted }, account }: FinalFacts & {
    account: Account;
  },
): boolean {
  const { ledger, wereInForce } = world;
  if (account.refused || ledger.commanded.has(message.id)) return true;
  if (ledger.suppressed.has(forwardPath)) return true;
  return [...wereInForce].some(({ routes, transports }) => {
    const route = routes.find(({ match: { recipientDomain } }) =>
      recipientDomain === undefined || recipientDomain.includes(domainOf(forwardPath))
    );
    // What was decided before the operator came stands, even if it was on disk only then.
    const isLate = account.endedAtMs <= ledger.reroutedAtMs(message.id);
    const names = rerouted && !isLate ? [transport] : route?.transports ?? [];
    return transports.filter(({ name }) => names.includes(name))
      .every(({ limitBytes }) => message.facts.sizeBytes > limitBytes);
  });
}

/** A failure is told to the sender that wants to hear of it, once (RFC 3461 section 5.2). */
function checkNotice(world: World, { detail: { message }, recipient }: FinalFacts): void {
  const { forwardPath, state, notify } = recipient;
  const notices = world.ledger.noticesOf(message.id).filter(({ mailbox, action }) =>
    mailbox === forwardPath && action === "failed"
  );
  const hasFailed = state === "failed" || state === "expired";
  const isOwed = hasFailed && message.reversePath !== "" && (notify?.includes("FAILURE") ?? true);
  const about = `${message.id} to ${forwardPath}, ${state}: ${notices.length} notifications`;
  if (isOwed && notices.length === 0) world.fail("each failure is told to its sender", about);
  if (!hasFailed && notices.length > 0 && state !== "delivered") {
    world.fail("nobody is told of a failure that was none", about);
  }
  if (notices.length > 1) world.fail("a failure is told once", about);
}

/** What others are told of is what the store says. */
async function checkOutbox(
  world: World,
  byId: ReadonlyMap<string, MessageDetail>,
): Promise<void> {
  const told = new Map<string, string[]>();
  for (const { messageId, type, body } of await world.ground.outboxEvents()) {
    const { recipient } = JSON.parse(body) as { recipient?: string };
    if (recipient === undefined || type === "deferred") continue;
    const key = keyOf(messageId, recipient);
    const types = told.get(key);
    if (types === undefined) told.set(key, [type]);
    else types.push(type);
  }
  const words: Record<string, readonly string[]> = {
    delivered: ["delivered"],
    failed: ["bounced", "suppressed"],
    expired: ["expired"],
  };
  for (const [id, { recipients }] of byId) {
    for (const { forwardPath, state } of recipients) {
      const types = told.get(keyOf(id, forwardPath)) ?? [];
      const wanted = words[state];
      if (wanted === undefined || types.some((type) => wanted.includes(type))) continue;
      if (state === "delivered" && world.ledger.account(id, forwardPath).unsure) continue;
      world.fail(
        "what the events tell is what the store says",
        `${id} to ${forwardPath} is ${state}, told of were: ${types.join(", ") || "nothing"}`,
      );
    }
  }
}

/** At rest the relay holds nothing, and remembers no more than there are destinations. */
export function checkAtRest(world: World, scheduler: Scheduler): void {
  const { activeRecipients } = scheduler;
  if (activeRecipients > 0) {
    world.fail("memory returns to its start", `${activeRecipients} recipients are in the window`);
  }
  let count = 0;
  for (const { name, transport, waiting, running } of scheduler.destinations) {
    count++;
    if (running === 0 && waiting.length === 0) continue;
    world.fail(
      "places at a destination return to their start",
      `${name} by ${transport.name}: ${running} under way, ${waiting.length} in line`,
    );
  }
  const { settings: { domains }, variants } = world.plan;
  const names = new Set(variants.flatMap(({ transports }) => transports.map(({ name }) => name)));
  const most = LANES * names.size * (domains.length + 1);
  if (count > most) world.fail("memory returns to its start", `${count} destinations are known`);
}

/** More lanes than that no destination has. */
const LANES = 4;

/** After a clean stop nothing of the relay is left. */
export async function checkStopped(world: World, life: Life): Promise<void> {
  const timers = world.clock.timersOf(life);
  if (timers > 0) {
    world.fail("timers return to their start", `${timers} are left after the relay stopped`);
  }
  for (const account of world.ledger.accounts) {
    if (account.openIn !== life.number) continue;
    world.fail(
      "a relay that has stopped attempts nothing",
      `${account.messageId} to ${account.mailbox}`,
    );
  }
  const open = world.ground.openOf(life);
  if (open > 0) world.fail("descriptors return to their start", `${open} are left`);
  const { isStoreWell } = world;
  if (isStoreWell && life.puts === 0) await checkOwners(world, null);
}

/** With everything final no large message is left in the spool folder. */
export async function checkSpool(world: World): Promise<void> {
  if (world.plan.settings.keepsFailed) return;
  const files = await world.ground.spoolFiles();
  if (files > 0) world.fail("spool files return to their start", `${files} are left`);
}

/** How long due mail may wait in good weather before it counts as forgotten. */
export const PATIENCE_MS = 60 * MINUTE_MS;
