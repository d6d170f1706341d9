import type { DnsRecordAdvice, PreflightCheck } from "../../admin/ports.ts";

/** A check without its name and title. */
export type Finding = Omit<PreflightCheck, "name" | "title">;

/** Fine as it is. */
export function pass(detail: string, found: readonly string[]): Finding {
  return { verdict: "pass", detail, found, advice: "", records: [] };
}

/** What is wrong and what to do about it. */
export interface Flaw {
  readonly detail: string;
  readonly advice: string;
  readonly found?: readonly string[];
  readonly records?: readonly DnsRecordAdvice[];
}

/** Mail is refused, or may be. */
export function fail({ found = [], records = [], ...flaw }: Flaw): Finding {
  return { verdict: "fail", found, records, ...flaw };
}

/** It works, and could be better. */
export function warning({ found = [], records = [], ...flaw }: Flaw): Finding {
  return { verdict: "warning", found, records, ...flaw };
}

/** It could not be found out. */
export function unknown(detail: string): Finding {
  return { verdict: "unknown", detail, found: [], advice: "", records: [] };
}

/** The DNS could not tell. */
export function unanswered(name: string): Finding {
  return unknown(`The DNS does not answer for ${name}.`);
}
