/** What waits in the queue, by destination, age and reason, as Postfix's `qshape` shows it. */

/** Mail that came within the same five minutes is of the same age. */
export const SHAPE_SLOT_MS = 5 * 60_000;

/** States in which a recipient waits. */
export type WaitingState = "queued" | "held";

/** What is asked of the shape of a queue. */
export interface ShapeRequest {
  readonly nowMs: number;
  /** Upper ends of the age classes in milliseconds, the youngest first. */
  readonly agesMs: readonly number[];
  /** How many domains are listed, those with the most recipients first. */
  readonly limit: number;
  /** Only this domain; absent means all. */
  readonly domain?: string;
}

/** How many recipients wait, and how many of each age. */
export interface Crowd {
  readonly recipients: number;
  /** For each age class, the youngest first; the last one is everything older. */
  readonly ages: readonly number[];
}

/** Recipients that wait for the same reason. */
export interface ReasonCrowd extends Crowd {
  readonly state: WaitingState;
  /** The codes of the last reply (`451 4.7.1`); empty before the first, `other` without codes. */
  readonly reason: string;
}

/** Recipients of one domain that wait. */
export interface DomainCrowd extends Crowd {
  readonly domain: string;
  readonly reasons: readonly ReasonCrowd[];
}

/** The recipients that wait. All counts are exact. */
export interface QueueShape extends Crowd {
  /**
   * Where each age class begins, on the whole five minutes: it holds what came at that time or
   * later, and before that of the class before it.
   */
  readonly sinceMs: readonly number[];
  readonly reasons: readonly ReasonCrowd[];
  /** Of how many domains recipients wait, those beyond the limit included. */
  readonly domainCount: number;
  readonly domains: readonly DomainCrowd[];
}

/** The slot of a time of receipt. */
export function slotOf(receivedAtMs: number): number {
  return Math.floor(receivedAtMs / SHAPE_SLOT_MS);
}

/** The first slot of each age class. */
export function firstSlots({ nowMs, agesMs }: ShapeRequest): number[] {
  return agesMs.map((ageMs) => slotOf(nowMs - ageMs));
}

/** What a last reply says in codes. */
export function reasonOf(lastReply: string): string {
  if (lastReply === "") return "";
  const [code = "", enhancedCode = ""] = lastReply.split(" ", 2);
  if (!/^[2-5]\d\d$/.test(code)) return "other";
  return /^[245]\.[\d.]{1,7}$/.test(enhancedCode) ? `${code} ${enhancedCode}` : code;
}

/** One row of what waits: of this slot, state and reason there are so many. */
export interface ShapeRow {
  readonly state: WaitingState;
  readonly reason: string;
  readonly slot: number;
  readonly count: number;
}

/** Adds rows up by reason, the largest crowd first. */
export function crowdsOf(rows: Iterable<ShapeRow>, slots: readonly number[]): ReasonCrowd[] {
  const found = new Map<string, { state: WaitingState; reason: string; ages: number[] }>();
  for (const { state, reason, slot, count } of rows) {
    const key = `${state} ${reason}`;
    const crowd = found.get(key) ?? { state, reason, ages: [...slots.map(() => 0), 0] };
    found.set(key, crowd);
    const at = slots.findIndex((first) => slot >= first);
    const age = at === -1 ? slots.length : at;
    crowd.ages[age] = (crowd.ages[age] ?? 0) + count;
  }
  return [...found.values()]
    .map((crowd) => ({ ...crowd, recipients: crowd.ages.reduce((sum, count) => sum + count, 0) }))
    .filter(({ recipients }) => recipients > 0)
    .sort((a, b) =>
      b.recipients - a.recipients || compareTexts(a.reason, b.reason) ||
      compareTexts(b.state, a.state)
    );
}

function compareTexts(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

/** All of them together. */
export function together(crowds: readonly Crowd[], classes: number): Crowd {
  const ages = Array.from(
    { length: classes },
    (_, age) => crowds.reduce((sum, crowd) => sum + (crowd.ages[age] ?? 0), 0),
  );
  return { recipients: ages.reduce((sum, count) => sum + count, 0), ages };
}
