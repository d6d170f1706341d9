import type { DnsRecordAdvice, PreflightCheck } from "../../admin/ports.ts";
import type { DnsResult, Resolver } from "../../net/resolver.ts";

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

/** TXT records that begin with a version tag; null when the DNS does not answer. */
export async function taggedRecords(
  resolver: Pick<Resolver, "txt">,
  { name, tag }: { name: string; tag: RegExp },
): Promise<readonly string[] | null> {
  const result = await resolver.txt(name);
  return result.kind === "temporary" ? null : recordsOf(result).filter((text) => tag.test(text));
}

/** The records, none where there are none. */
export function recordsOf<Data>(result: DnsResult<Data>): readonly Data[] {
  return result.kind === "found" ? result.records : [];
}

/** The tags of a record such as `v=DMARC1; p=none` (RFC 6376 3.2); names in lower case. */
export function tagsOf(record: string): ReadonlyMap<string, string> {
  const pairs = record.split(";").map((part) => part.split("=")).filter(({ length }) => length > 1)
    .map((
      [name = "", ...value],
    ): [string, string] => [name.trim().toLowerCase(), value.join("=").trim()]);
  return new Map(pairs);
}
