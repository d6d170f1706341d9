/** Checks of the keys that signatures of a domain's mail are verified with. */
import { recordsOf, tagsOf } from "../../authentication/records.ts";
import type { Config } from "../../config/schema.ts";
import type { Resolver } from "../../net/resolver.ts";
import { checkKey, type KeyCheck } from "../../signing/check.ts";
import { type DkimKey, keysFor, readKeys } from "../../signing/keys.ts";
import { sealingKey } from "../signing_keys.ts";
import { fail, type Finding, pass, unanswered, unknown, warning } from "./check.ts";

/** Selectors that mail systems and providers use by default. */
const USUAL_SELECTORS = [
  ...["posthouse", "default", "dkim", "mail", "smtp", "k1", "k2", "s1", "s2"],
  ...["selector1", "selector2", "google", "mandrill", "mx", "pm", "resend", "scph0924"],
];

type TxtResolver = Pick<Resolver, "txt">;

/** Whether the DNS has the keys that this relay signs mail of the domain with (RFC 6376). */
export async function checkDkim(
  resolver: TxtResolver,
  { domain, dkim }: { domain: string } & Pick<Config, "dkim">,
): Promise<Finding> {
  const keys = keysFor(readKeys(dkim), domain);
  return keys.length === 0
    ? await checkOthers(resolver, domain)
    : judged(await checksOf(resolver, keys), domain);
}

/** Whether the DNS has the key that this relay seals with (RFC 8617). */
export async function checkArc(
  resolver: TxtResolver,
  { domain, arc }: { domain: string; arc: NonNullable<Config["arc"]> },
): Promise<Finding> {
  return judged(await checksOf(resolver, [sealingKey(arc)]), domain);
}

function checksOf(resolver: TxtResolver, keys: readonly DkimKey[]): Promise<KeyCheck[]> {
  return Promise.all(keys.map((key) => checkKey(key, (name) => resolver.txt(name))));
}

function judged(checks: readonly KeyCheck[], domain: string): Finding {
  const found = checks.map(({ name, algorithm, detail }) => `${name} (${algorithm}): ${detail}`);
  const bad = checks.filter(({ verdict }) => verdict === "wrong");
  if (bad.length > 0) {
    return fail({
      detail: `${bad.map(({ selector }) => selector).join(", ")}: signatures of these keys fail.`,
      found,
      advice: "Publish the record below, or remove the key from the config.",
      records: bad.map(({ name, wanted }) => ({ name, type: "TXT", value: wanted })),
    });
  }
  if (checks.some(({ verdict }) => verdict === "unknown")) {
    return unknown("The DNS does not answer for some of the keys.");
  }
  const weak = checks.filter(({ verdict }) => verdict === "warning");
  if (weak.length > 0) {
    return warning({
      detail: `${
        weak.map(({ selector }) => selector).join(", ")
      }: the key is weak or in test mode.`,
      found,
      advice: "Use keys of 2048 bits, and remove t=y from records once signatures verify.",
    });
  }
  if (!checks.some((check) => isAligned(check.domain, domain))) {
    return warning({
      detail: `The signing domain is not ${domain}, so DMARC ignores the signature.`,
      found,
      advice: `Add a [[dkim]] key whose domain is ${domain}.`,
    });
  }
  return pass("The DNS contains the keys that this relay signs with.", found);
}

/** Whether DMARC takes one domain for the other's (RFC 7489 3.1.1), its suffix list left aside. */
function isAligned(signer: string, author: string): boolean {
  return signer === author || author.endsWith(`.${signer}`) || signer.endsWith(`.${author}`);
}

/** Where this relay does not sign, others may. */
async function checkOthers(resolver: TxtResolver, domain: string): Promise<Finding> {
  const answers = await Promise.all(USUAL_SELECTORS.map(async (selector) => {
    const name = `${selector}._domainkey.${domain}`;
    const result = await resolver.txt(name);
    const keys = recordsOf(result).filter((text) => (tagsOf(text).get("p") ?? "") !== "");
    return { result, found: keys.map((key) => `${name}: ${key}`) };
  }));
  const found = answers.flatMap((answer) => answer.found);
  if (found.length > 0) {
    return pass("This relay does not sign. Keys of another signer are published.", found);
  }
  if (answers.every(({ result }) => result.kind === "temporary")) {
    return unanswered(`_domainkey.${domain}`);
  }
  return warning({
    detail: "This relay does not sign, and no other keys were found under the usual selectors.",
    advice:
      `Generate a key (posthouse dkim generate --domain ${domain}), publish its record and add ` +
      "it to the config as [[dkim]].",
  });
}
