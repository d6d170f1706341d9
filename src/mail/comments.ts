/**
 * The value of a field without its comments (RFC 5322 3.2.2), in time linear in its length. A
 * parenthesis that nobody closed stays.
 */
export function withoutComments(value: string): string {
  let kept = "";
  let from = 0;
  for (;;) {
    const open = value.indexOf("(", from);
    const close = open < 0 ? -1 : value.indexOf(")", open);
    if (close < 0) return kept + value.slice(from);
    kept += value.slice(from, open);
    from = close + 1;
  }
}
