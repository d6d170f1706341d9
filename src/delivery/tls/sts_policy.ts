/** What a domain says of its exchangers (RFC 8461 section 3.2). */
export interface StsPolicy {
  readonly mode: "enforce" | "testing" | "none";
  /** Names of exchangers, `*.` for any one label before. */
  readonly mx: readonly string[];
  readonly maxAgeMs: number;
}

/** RFC 8461 section 3.2. */
const LONGEST_MAX_AGE_S = 31_557_600;

/** Reads a policy file; null when it is none (RFC 8461 section 3.2). */
export function parseStsPolicy(text: string): StsPolicy | null {
  const fields = fieldsOf(text);
  const [version] = fields.get("version") ?? [];
  const [mode] = fields.get("mode") ?? [];
  const [maxAge = ""] = fields.get("max_age") ?? [];
  const mx = (fields.get("mx") ?? []).map((name) => name.toLowerCase());
  if (version !== "STSv1" || !isMode(mode) || !/^\d{1,10}$/.test(maxAge)) return null;
  if (mx.length === 0 && mode !== "none") return null;
  return { mode, mx, maxAgeMs: Math.min(Number(maxAge), LONGEST_MAX_AGE_S) * 1000 };
}

/** Values by name, each in the order of the file; of all but `mx` only the first counts. */
function fieldsOf(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const [, before = "", value = ""] of text.matchAll(/^([^:\n]*):(.*)$/gm)) {
    const name = before.trim();
    fields.set(name, [...fields.get(name) ?? [], value.trim()]);
  }
  return fields;
}

function isMode(text: string | undefined): text is StsPolicy["mode"] {
  return text === "enforce" || text === "testing" || text === "none";
}

/** Whether a policy names an exchanger (RFC 8461 section 4.1). */
export function namesExchanger({ mx }: Pick<StsPolicy, "mx">, host: string): boolean {
  const name = host.toLowerCase();
  const dot = name.indexOf(".");
  return mx.some((pattern) =>
    pattern.startsWith("*.")
      ? dot > 0 && name.slice(dot + 1) === pattern.slice(2)
      : name === pattern
  );
}

/**
 * The id of the policy in force, from the TXT records of `_mta-sts.` (RFC 8461 section 3.1); null
 * where there is not exactly one record that says so.
 */
export function stsId(records: readonly string[]): string | null {
  const found = records.filter((record) => /^v=STSv1\s*;/.test(record));
  if (found.length !== 1) return null;
  return /;\s*id\s*=\s*([A-Za-z0-9]{1,32})\s*(?:;|$)/.exec(found[0] ?? "")?.[1] ?? null;
}
