import type { Limits } from "./limiter.ts";
import { capAt } from "./warm_up.ts";

const SPANS: readonly (readonly [ms: number, words: string])[] = [
  [1_000, "a second"],
  [60_000, "a minute"],
  [3_600_000, "an hour"],
  [86_400_000, "a day"],
];

/** What limits allow, one sentence each, for people. */
export function limitWords(
  { concurrency, connections, recipients, rates, warmUp }: Limits,
  nowMs: number,
): string[] {
  return [
    ...concurrency === undefined ? [] : [`${concurrency} attempts at once`],
    ...connections === undefined ? [] : [`${connections} connections`],
    ...recipients === undefined ? [] : [`${recipients} recipients in one attempt`],
    ...rates.map(({ count, perMs }) => `${count} messages ${spanWords(perMs)}`),
    ...warmUp === undefined ? [] : [warmUpWords(capAt(warmUp, nowMs))],
  ];
}

function warmUpWords(cap: number | null): string {
  return cap === null ? "no limit, the warm-up has ended" : `${cap} messages today, by the warm-up`;
}

function spanWords(perMs: number): string {
  return SPANS.find(([ms]) => ms === perMs)?.[1] ?? `in ${perMs / 1_000} seconds`;
}
