import type { Authors } from "./author.ts";
import { readKey, type SigningKey } from "./key.ts";

/** A key, the domain it signs for, and whose mail it signs. */
export interface DkimKeyConfig {
  /** The signing domain, `d=`; in lower case. */
  readonly domain: string;
  readonly selector: string;
  /** PEM. */
  readonly key: string;
  /**
   * Domains of From whose mail it signs: `example.net`, `*.example.net`; null for its own domain
   * and those below it that have no key of their own.
   */
  readonly from: readonly string[] | null;
}

/** A key that is ready to sign. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly from: readonly string[] | null;
  readonly key: SigningKey;
}

/**
 * Reads the keys of a configuration.
 *
 * @throws RangeError for a text that is no key, which the configuration has ruled out.
 */
export function readKeys(configs: readonly DkimKeyConfig[]): DkimKey[] {
  return configs.map(({ key: pem, ...rest }) => {
    const read = readKey(pem);
    if (read.kind === "ok") return { ...rest, key: read.key };
    throw new RangeError(`Cannot sign for ${rest.domain}: its key is ${read.reason}`);
  });
}

/**
 * The keys that sign mail of these authors; all of them do. Where nobody has a key for one of
 * From, those of Sender, who sent it for them (RFC 5322 section 3.6.2).
 */
export function keysForAuthors(keys: readonly DkimKey[], { from, sender }: Authors): DkimKey[] {
  if (from.length === 0) return [];
  const ofAll = (domains: readonly string[]): DkimKey[] => [
    ...new Set(domains.flatMap((domain) => keysFor(keys, domain))),
  ];
  const found = ofAll(from);
  return found.length > 0 ? found : ofAll(sender);
}

/** The keys that sign mail of an author at `domain`. */
export function keysFor(keys: readonly DkimKey[], domain: string): DkimKey[] {
  const fitting = keys.filter((key) =>
    key.from === null ? isWithin(domain, key.domain) : key.from.some((one) => fits(one, domain))
  );
  const own = fitting.filter(({ from }) => from === null);
  const nearest = Math.max(0, ...own.map((key) => key.domain.length));
  return fitting.filter((key) => key.from !== null || key.domain.length === nearest);
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

function fits(pattern: string, domain: string): boolean {
  const wanted = pattern.toLowerCase();
  if (wanted === "*") return true;
  return wanted.startsWith("*.") ? domain.endsWith(wanted.slice(1)) : domain === wanted;
}
