/** What a route looks at in a recipient and its message; patterns of one key are alternatives. */
export interface RouteMatch {
  /** `example.net`, `*.example.net` (its subdomains) or `*`. */
  readonly recipientDomain?: readonly string[];
  /** Whole mailboxes; `*` stands for any run of characters. */
  readonly recipient?: readonly string[];
  /** Whole mailboxes as `recipient`; an empty pattern is the null reverse-path. */
  readonly sender?: readonly string[];
  /** Names of listeners; `local` is mail the relay itself made. */
  readonly listener?: readonly string[];
  /** Authenticated users. */
  readonly user?: readonly string[];
}

/** One rule of the ordered list of routes. */
export interface RouteRule {
  readonly name: string;
  /** Keys that are present must all fit; an empty match fits everything. */
  readonly match: RouteMatch;
  /** Names of transports in the order in which they are tried. */
  readonly transports: readonly string[];
  /** Whether a message rather takes the next transport than lose something to a conversion. */
  readonly rawOnly?: boolean;
}

/** The facts that decide about one recipient. */
export interface RouteFacts {
  readonly forwardPath: string;
  readonly domain: string;
  readonly reversePath: string;
  readonly listener: string;
  readonly user?: string;
}

/** Whether the rules need nothing but the recipient's domain, so that its answer can be shared. */
export function routesByDomainOnly(rules: readonly RouteRule[]): boolean {
  return rules.every(({ match }) =>
    match.recipient === undefined && match.sender === undefined &&
    match.listener === undefined && match.user === undefined
  );
}

/** The first rule that fits; null when none does. */
export function chooseRoute(rules: readonly RouteRule[], facts: RouteFacts): RouteRule | null {
  for (const rule of rules) if (misfit(rule.match, facts) === null) return rule;
  return null;
}

/** The first key of a match that does not fit the facts; null when all do. */
export function misfit(match: RouteMatch, facts: RouteFacts): keyof RouteMatch | null {
  if (!fits(match.recipientDomain, (pattern) => domainFits(pattern, facts.domain))) {
    return "recipientDomain";
  }
  if (!fits(match.recipient, (pattern) => mailboxFits(pattern, facts.forwardPath))) {
    return "recipient";
  }
  if (!fits(match.sender, (pattern) => mailboxFits(pattern, facts.reversePath))) return "sender";
  if (!fits(match.listener, (pattern) => pattern === facts.listener)) return "listener";
  return fits(match.user, (pattern) => pattern === facts.user) ? null : "user";
}

function fits(
  patterns: readonly string[] | undefined,
  test: (pattern: string) => boolean,
): boolean {
  return patterns === undefined || patterns.some(test);
}

function domainFits(pattern: string, domain: string): boolean {
  if (pattern === "*") return true;
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.") ? domain.endsWith(wanted.slice(1)) : domain === wanted;
}

/** Compares without regard to ASCII case, as people write such patterns. */
function mailboxFits(pattern: string, mailbox: string): boolean {
  const parts = pattern.toLowerCase().split("*");
  const text = mailbox.toLowerCase();
  const first = parts[0] ?? "";
  if (parts.length === 1) return text === first;
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
