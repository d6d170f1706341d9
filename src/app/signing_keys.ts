import type { Config } from "../config/schema.ts";
import type { ArcConfig } from "../config/sections/arc.ts";
import { type DkimKey, readKeys } from "../signing/keys.ts";

/** The key that seals. */
export function sealingKey({ domain, selector, key }: ArcConfig): DkimKey {
  const [read] = readKeys([{ domain, selector, key, from: null }]);
  if (read === undefined) throw new RangeError("Cannot seal: there is no key");
  return read;
}

/** All keys of a configuration whose records the DNS should have, each record once. */
export function publishedKeys({ dkim, arc }: Pick<Config, "dkim" | "arc">): readonly DkimKey[] {
  const keys = readKeys(dkim);
  if (arc === null) return keys;
  const isKnown = keys.some(({ domain, selector }) =>
    domain === arc.domain && selector === arc.selector
  );
  return isKnown ? keys : [...keys, sealingKey(arc)];
}
