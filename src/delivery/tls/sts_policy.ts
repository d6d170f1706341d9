import { parsePolicy, validateMx } from "mailauth/mta-sts";

/** What a domain says of its exchangers (RFC 8461 section 3.2). */
export interface StsPolicy {
  readonly mode: "enforce" | "testing" | "none";
  /** Names of exchangers, `*.` for any one label before. */
  readonly mx: readonly string[];
  readonly maxAgeMs: number;
}

/** RFC 8461 section 3.2. */
const LONGEST_MAX_AGE_S = 31_557_600;

/** Reads a policy file; null when it is none. */
export function parseStsPolicy(text: string): StsPolicy | null {
  try {
    const { mode, mx = [], maxAge } = parsePolicy(text, { strict: true });
    return { mode, mx, maxAgeMs: Math.min(maxAge, LONGEST_MAX_AGE_S) * 1000 };
  } catch {
    return null; // the library throws for whatever is wrong with the text
  }
}

/** Whether a policy names an exchanger (RFC 8461 section 4.1). */
export function namesExchanger({ mode, mx }: StsPolicy, host: string): boolean {
  return validateMx(host, { mode, mx: [...mx] }).valid;
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
