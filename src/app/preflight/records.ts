/** Checks of what a domain says of itself in the DNS. */
import { taggedRecords, tagsOf } from "../../authentication/records.ts";
import type { Resolver } from "../../net/resolver.ts";
import { fail, type Finding, pass, unanswered, unknown, warning } from "./check.ts";
import { evaluateSpf, type SpfResolver, type SpfResult } from "../../authentication/spf.ts";
import { SPF_TAG } from "../../authentication/spf_record.ts";

/** Whether receivers may take the relay's addresses for the domain's (RFC 7208). */
export async function checkSpf(
  resolver: SpfResolver,
  { domain, addresses }: {
    domain: string;
    /** Where the relay sends from; empty when nothing is known. */
    addresses: readonly string[];
  },
): Promise<Finding> {
  const found = await taggedRecords(resolver, { name: domain, tag: SPF_TAG });
  if (found === null) return unanswered(domain);
  const blocks = addresses.map((address) => `${address.includes(":") ? "ip6" : "ip4"}:${address}`);
  if (found.length === 0) {
    const value = ["v=spf1", ...blocks, "~all"].join(" ");
    return fail({
      detail: "There is no SPF record.",
      advice: blocks.length === 0
        ? "Add this record with the addresses or includes of your senders."
        : "Add this record. List all other senders of the domain before ~all.",
      records: [{ name: domain, type: "TXT", value }],
    });
  }
  if (found.length > 1) {
    const detail = `There are ${found.length} SPF records, which receivers treat as an error.`;
    return fail({ detail, found, advice: "Merge them into one record." });
  }
  if (addresses.length === 0) {
    return unknown("The record exists, but the addresses that the relay sends from are unknown.");
  }
  const outcomes = await Promise.all(
    addresses.map((address) => evaluateSpf(resolver, { domain, address })),
  );
  const results = outcomes.map(({ result }) => result);
  return judgeSpf({ domain, addresses, results, record: found[0] ?? "" });
}

function judgeSpf(
  { domain, addresses, results, record }: {
    domain: string;
    addresses: readonly string[];
    results: readonly SpfResult[];
    record: string;
  },
): Finding {
  const found = [record];
  const missing = addresses.filter((_, index) => results[index] !== "pass");
  if (missing.length === 0) return pass(`It allows ${addresses.join(" and ")}.`, found);
  if (results.includes("temperror")) return unanswered(`the names in the SPF record of ${domain}`);
  if (results.includes("permerror")) {
    return fail({
      detail: "The record has an error, or needs more than 10 DNS lookups.",
      found,
      advice: "Correct it; receivers ignore the record (RFC 7208 4.6.4).",
    });
  }
  const blocks = missing.map((address) => `${address.includes(":") ? "ip6" : "ip4"}:${address}`);
  const value = record.replace(/^v=spf1/i, `v=spf1 ${blocks.join(" ")}`);
  return fail({
    detail: `It does not allow ${missing.join(" and ")}.`,
    found,
    advice: "Replace the record by this one.",
    records: [{ name: domain, type: "TXT", value }],
  });
}

const DMARC_TAG = /^v=DMARC1(?:$|[ ;])/i;

/** What receivers should do with mail that fails SPF and DKIM (RFC 7489). */
export async function checkDmarc(
  resolver: Pick<Resolver, "txt">,
  { domain }: { domain: string },
): Promise<Finding> {
  for (const parent of withParents(domain)) {
    const name = `_dmarc.${parent}`;
    const found = await taggedRecords(resolver, { name, tag: DMARC_TAG });
    if (found === null) return unanswered(name);
    if (found.length > 0) return judgeDmarc({ found, name, isOwn: parent === domain });
  }
  return fail({
    detail: "There is no DMARC record. Large receivers require one.",
    advice: "Add this record. It requests reports and changes nothing else.",
    records: [{
      name: `_dmarc.${domain}`,
      type: "TXT",
      value: `v=DMARC1; p=none; rua=mailto:dmarc-reports@${domain}`,
    }],
  });
}

function judgeDmarc(
  { found, name, isOwn }: { found: readonly string[]; name: string; isOwn: boolean },
): Finding {
  if (found.length > 1) {
    const detail = "There are several DMARC records; receivers ignore all of them.";
    return fail({ detail, found, advice: "Keep one." });
  }
  const tags = tagsOf(found[0] ?? "");
  const policy = (isOwn ? tags.get("p") : tags.get("sp") ?? tags.get("p"))?.toLowerCase();
  const where = isOwn ? "" : ` It comes from ${name}.`;
  if (policy === "quarantine" || policy === "reject") {
    return pass(`The policy is ${policy}.${where}`, found);
  }
  if (policy === "none") {
    return warning({
      detail: `The policy is none: forged mail is only reported.${where}`,
      found,
      advice: "When the reports show that all your mail passes, use p=quarantine, then p=reject.",
    });
  }
  const detail = "The record has no valid policy.";
  return fail({ detail, found, advice: "Set p=none, p=quarantine or p=reject." });
}

/** The domain and those above it that can have a policy for it, the top-level one left out. */
function withParents(domain: string): string[] {
  const labels = domain.split(".");
  return Array.from(
    { length: Math.max(1, labels.length - 1) },
    (_, index) => labels.slice(index).join("."),
  ).slice(0, 5);
}

/** Whether reports about TLS are asked for (RFC 8460). */
export async function checkTlsRpt(
  resolver: Pick<Resolver, "txt">,
  { domain }: { domain: string },
): Promise<Finding> {
  const name = `_smtp._tls.${domain}`;
  const found = await taggedRecords(resolver, { name, tag: /^v=TLSRPTv1(?:$|[ ;])/i });
  if (found === null) return unanswered(name);
  if (found.length === 1 && tagsOf(found[0] ?? "").has("rua")) {
    return pass("Senders report TLS failures.", found);
  }
  return warning({
    detail: found.length === 0
      ? "No reports are sent when mail to the domain cannot be encrypted."
      : "The record is invalid.",
    found,
    advice: "Add this record to receive reports. They are about incoming mail of the domain.",
    records: [{ name, type: "TXT", value: `v=TLSRPTv1; rua=mailto:tls-reports@${domain}` }],
  });
}
