/** Records of the DNS that name their version first, as SPF and DMARC have them. */
import type { DnsResult, Resolver } from "../net/resolver.ts";

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
