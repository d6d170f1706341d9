/** Whether something fits one of some patterns. */
export type Fits = (text: string) => boolean;

/**
 * Compiles domain patterns: `example.net`, `*.example.net` for its subdomains, `*` for all. The
 * domains tested are A-labels in lower case.
 */
export function domainPatterns(patterns: readonly string[]): Fits {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  if (lower.includes("*")) return () => true;
  const whole = new Set(lower.filter((pattern) => !pattern.startsWith("*.")));
  const suffixes = lower.filter((pattern) => pattern.startsWith("*."))
    .map((pattern) => pattern.slice(1));
  if (suffixes.length === 0) return (domain) => whole.has(domain);
  return (domain) => whole.has(domain) || suffixes.some((suffix) => domain.endsWith(suffix));
}

/**
 * Compiles text patterns in which `*` stands for any run of characters; compared whole and without
 * regard to case, as people write them.
 */
export function textPatterns(patterns: readonly string[]): Fits {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  const whole = new Set(lower.filter((pattern) => !pattern.includes("*")));
  const globs = lower.filter((pattern) => pattern.includes("*"))
    .map((pattern) => pattern.split("*"));
  if (globs.length === 0) return (text) => whole.has(text.toLowerCase());
  return (text) => {
    const value = text.toLowerCase();
    return whole.has(value) || globs.some((parts) => fitsGlob(value, parts));
  };
}

/** Whether `text` is the parts in their order with anything between them. */
function fitsGlob(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts[parts.length - 1] ?? "";
  if (text.length < first.length + last.length) return false;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
