import type { Resolver } from "../net/resolver.ts";
import type { MethodResult } from "../signing/arc/method_result.ts";
import { recordsOf, tagsOf } from "./records.ts";

/** A domain that was authenticated, by a DKIM signature or by SPF. */
export interface Authenticated {
  readonly method: "dkim" | "spf";
  readonly domain: string;
}

/** A record, and the domain that it was found at. */
interface Found {
  readonly domain: string;
  readonly tags: ReadonlyMap<string, string>;
}

type Walk = { readonly kind: "walked"; readonly found: readonly Found[] } | {
  readonly kind: "temporary";
};

type TxtResolver = Pick<Resolver, "txt">;

const DMARC_TAG = /^v=DMARC1(?:$|[ \t;])/i;
/** Names with more labels lose the first ones at once (RFC 9989 section 4.10). */
const MAX_LABELS = 8;

/** Whether mail of an author is authenticated for the author's domain (RFC 9989 section 4). */
export async function evaluateDmarc(
  resolver: TxtResolver,
  { author, authenticated }: { author: string; authenticated: readonly Authenticated[] },
): Promise<MethodResult> {
  const walk = await walkTree(resolver, author);
  if (walk.kind === "temporary") return resultOf("temperror", author, null);
  const organization = organizationOf(author, walk.found);
  const record = walk.found.find(({ domain }) => domain === author) ??
    walk.found.find(({ domain }) => domain === organization);
  if (record === undefined) return resultOf("none", author, null);
  const policy = policyOf(record, author);
  for (const one of authenticated) {
    const aligned = await isAligned(resolver, { one, author, organization, record });
    if (aligned === "temporary") return resultOf("temperror", author, policy);
    if (aligned) return resultOf("pass", author, policy);
  }
  return resultOf("fail", author, policy);
}

function resultOf(result: string, author: string, policy: string | null): MethodResult {
  const properties: MethodResult["properties"] = [["header.from", author]];
  return {
    ...{ method: "dmarc", result, reason: "" },
    properties: policy === null ? properties : [...properties, ["policy.dmarc", policy]],
  };
}

function policyOf({ domain, tags }: Found, author: string): string {
  const own = tags.get("p") ?? "none";
  return (domain === author ? own : tags.get("sp") ?? own).toLowerCase();
}

/** RFC 9989 section 4.10.2: the same domain, or, if relaxed, of the same organization. */
async function isAligned(
  resolver: TxtResolver,
  { one: { method, domain }, author, organization, record }: {
    one: Authenticated;
    author: string;
    organization: string;
    record: Found;
  },
): Promise<boolean | "temporary"> {
  if (domain === author) return true;
  const mode = record.tags.get(method === "dkim" ? "adkim" : "aspf") ?? "r";
  if (mode.toLowerCase() === "s" || !isWithin(domain, organization)) return false;
  const walk = await walkTree(resolver, domain);
  if (walk.kind === "temporary") return "temporary";
  return organizationOf(domain, walk.found) === organization;
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

/** The records of a domain and of those above it (RFC 9989 section 4.10), the lowest first. */
async function walkTree(resolver: TxtResolver, domain: string): Promise<Walk> {
  const found: Found[] = [];
  for (const name of walkedNames(domain)) {
    const answer = await resolver.txt(`_dmarc.${name}`);
    if (answer.kind === "temporary") return answer;
    const [record, ...more] = recordsOf(answer).filter((text) => DMARC_TAG.test(text));
    if (record === undefined || more.length > 0) continue;
    const tags = tagsOf(record);
    found.push({ domain: name, tags });
    const psd = tags.get("psd")?.toLowerCase();
    if (psd === "n" || (psd === "y" && name !== domain)) break;
  }
  return { kind: "walked", found };
}

function walkedNames(domain: string): readonly string[] {
  const labels = domain.split(".");
  const above = labels.slice(labels.length > MAX_LABELS ? 1 - MAX_LABELS : 1);
  return [domain, ...above.map((_, index) => above.slice(index).join("."))];
}

/** The organization that a domain belongs to (RFC 9989 section 4.10.2). */
function organizationOf(domain: string, found: readonly Found[]): string {
  const last = found.at(-1);
  if (last === undefined) return domain;
  if (last.tags.get("psd")?.toLowerCase() !== "y" || last.domain === domain) return last.domain;
  const labels = domain.split(".");
  return labels.slice(-(last.domain.split(".").length + 1)).join(".");
}
