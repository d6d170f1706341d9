import { parseDomain } from "../mail/address.ts";

/**
 * A set of domains: names stand for themselves, `*.example.com` for everything below
 * `example.com` but not for itself.
 */
export class DomainSet {
  readonly #names = new Set<string>();
  readonly #parents = new Set<string>();

  /** `patterns` are as `isDomainPattern` has them; others match nothing. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      const isParent = pattern.startsWith("*.");
      const domain = parseDomain(isParent ? pattern.slice(2) : pattern);
      if (domain !== null) (isParent ? this.#parents : this.#names).add(domain);
    }
  }

  /** Whether `domain`, in A-labels and lower case, is in the set. */
  has(domain: string): boolean {
    if (this.#names.has(domain)) return true;
    if (this.#parents.size === 0) return false;
    let dot = domain.indexOf(".");
    while (dot >= 0) {
      if (this.#parents.has(domain.slice(dot + 1))) return true;
      dot = domain.indexOf(".", dot + 1);
    }
    return false;
  }
}

/** Whether `text` is a domain, in A-labels or U-labels, or `*.` and a domain. */
export function isDomainPattern(text: string): boolean {
  const domain = text.startsWith("*.") ? text.slice(2) : text;
  return !domain.startsWith("[") && parseDomain(domain) !== null;
}
