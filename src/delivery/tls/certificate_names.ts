/**
 * Whether a certificate for `presented` (DNS names in lower case) is one for `reference`, a name
 * or `*.example.net` for any one label before it (RFC 9525 section 6.3). A wildcard in the
 * certificate stands for one whole label, the first.
 */
export function isForName(presented: readonly string[], reference: string): boolean {
  const wanted = reference.toLowerCase().replace(/\.$/, "");
  return presented.some((name) =>
    name === wanted || parentOf(name, { of: wanted }) || parentOf(wanted, { of: name })
  );
}

/** Whether `pattern` is a wildcard for the label that `of` has before the same rest. */
function parentOf(pattern: string, { of }: { of: string }): boolean {
  if (!pattern.startsWith("*.")) return false;
  const dot = of.indexOf(".");
  const rest = of.slice(dot);
  return dot > 0 && rest === pattern.slice(1) && rest.indexOf(".", 1) > 0;
}
