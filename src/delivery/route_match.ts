import { domainPatterns, type Fits, textPatterns } from "./patterns.ts";

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
  /** Header fields, all of which must fit; `*` stands for any run of characters. */
  readonly header?: readonly HeaderPattern[];
  /** The least and the most octets. */
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  /** Of MT-PRIORITY (RFC 6710), -9 to 9; mail without has 0. */
  readonly minPriority?: number;
  readonly maxPriority?: number;
}

/** The patterns, alternatives, that a value of one header field must fit. */
export interface HeaderPattern {
  /** In lower case. */
  readonly name: string;
  readonly patterns: readonly string[];
}

/** The facts that decide about one recipient. */
export interface RouteFacts {
  readonly forwardPath: string;
  readonly domain: string;
  readonly reversePath: string;
  readonly listener: string;
  readonly user?: string;
  /** Values of the header fields that routes look at, by name in lower case. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  /** Default 0. */
  readonly sizeBytes?: number;
  /** Default 0. */
  readonly priority?: number;
}

/** Why a match does not fit: the key, and the name of the field where it is `header`. */
export interface Misfit {
  readonly key: keyof RouteMatch;
  readonly field?: string;
}

/** The first reason why a match does not fit; null when it fits. */
export type Matcher = (facts: RouteFacts) => Misfit | null;

type Test = (facts: RouteFacts) => boolean;

/** Compiles a match; a match without keys fits everything. */
export function compileMatch(match: RouteMatch): Matcher {
  const tests = [...testsOf(match)];
  if (tests.length === 0) return () => null;
  return (facts) => {
    for (const { misfit, test } of tests) if (!test(facts)) return misfit;
    return null;
  };
}

function* testsOf(match: RouteMatch): Iterable<{ misfit: Misfit; test: Test }> {
  const { recipientDomain, recipient, sender, listener, user, header = [] } = match;
  const { minSizeBytes, maxSizeBytes, minPriority, maxPriority } = match;
  if (recipientDomain !== undefined) {
    const fits = domainPatterns(recipientDomain);
    yield { misfit: { key: "recipientDomain" }, test: ({ domain }) => fits(domain) };
  }
  if (recipient !== undefined) {
    const fits = textPatterns(recipient);
    yield { misfit: { key: "recipient" }, test: ({ forwardPath }) => fits(forwardPath) };
  }
  if (sender !== undefined) {
    const fits = textPatterns(sender);
    yield { misfit: { key: "sender" }, test: ({ reversePath }) => fits(reversePath) };
  }
  if (listener !== undefined) {
    const names = new Set(listener);
    yield { misfit: { key: "listener" }, test: (facts) => names.has(facts.listener) };
  }
  if (user !== undefined) {
    const names = new Set(user);
    yield { misfit: { key: "user" }, test: (facts) => names.has(facts.user ?? "") };
  }
  for (const { name, patterns } of header) {
    const fits = textPatterns(patterns);
    yield { misfit: { key: "header", field: name }, test: headerTest(name, fits) };
  }
  if (minSizeBytes !== undefined) {
    yield {
      misfit: { key: "minSizeBytes" },
      test: ({ sizeBytes = 0 }) => sizeBytes >= minSizeBytes,
    };
  }
  if (maxSizeBytes !== undefined) {
    yield {
      misfit: { key: "maxSizeBytes" },
      test: ({ sizeBytes = 0 }) => sizeBytes <= maxSizeBytes,
    };
  }
  if (minPriority !== undefined) {
    yield { misfit: { key: "minPriority" }, test: ({ priority = 0 }) => priority >= minPriority };
  }
  if (maxPriority !== undefined) {
    yield { misfit: { key: "maxPriority" }, test: ({ priority = 0 }) => priority <= maxPriority };
  }
}

function headerTest(name: string, fits: Fits): Test {
  return ({ headers }) => headers?.[name]?.some(fits) ?? false;
}
