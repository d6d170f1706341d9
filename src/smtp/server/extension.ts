import type { Reply } from "../../mail/reply.ts";
import type { Services } from "./services.ts";
import type { MailParams, RcptParams } from "./state.ts";
import type { Verb, VerbSession } from "./verb.ts";
import { notImplemented } from "./verbs/obsolete.ts";

/**
 * Reads one parameter into `params`; `value` is null where the client gave none. Returns the
 * refusal where it will not do.
 */
export type ParamHandler<Params> = (
  request: {
    readonly params: Params;
    readonly value: string | null;
    readonly session: VerbSession;
  },
) => Reply | null;

/** A service extension (RFC 5321 2.2): everything the server must know to offer it. */
export interface Extension {
  /** Its EHLO keyword, by which it is switched on and off. */
  readonly name: string;
  /** The extensions without which it is not offered. */
  readonly needs?: readonly string[];
  /** Whether the services it needs are there; always, where not given. */
  readonly available?: (services: Services) => boolean;
  /** The line of the EHLO reply; null where this session is not offered it now. */
  readonly ehloLine: (session: VerbSession) => string | null;
  /** By how many octets the longest line of a command grows, by verb. */
  readonly extraLineBytes?: Readonly<Record<string, number>>;
  readonly mailParams?: Readonly<Record<string, ParamHandler<MailParams>>>;
  readonly rcptParams?: Readonly<Record<string, ParamHandler<RcptParams>>>;
  readonly verbs?: readonly Verb[];
}

/** All that a server offers, ready for look-ups. */
export interface Offer {
  readonly extensions: readonly Extension[];
  readonly verbs: ReadonlyMap<string, Verb>;
  readonly mailParams: ReadonlyMap<string, ParamHandler<MailParams>>;
  readonly rcptParams: ReadonlyMap<string, ParamHandler<RcptParams>>;
  readonly extraLineBytes: ReadonlyMap<string, number>;
}

/**
 * Puts the verbs of the base protocol and the extensions into one offer. Of `known` extensions
 * that are not in it the verbs are answered with 502.
 */
export function makeOffer(
  { baseVerbs, extensions, known }: {
    baseVerbs: readonly Verb[];
    extensions: readonly Extension[];
    known: readonly Extension[];
  },
): Offer {
  const offered = [...baseVerbs, ...verbsOf(extensions)];
  const names = new Set(offered.map(({ verb }) => verb));
  const missing = verbsOf(known).filter(({ verb }) => !names.has(verb));
  const verbs = [...offered, ...missing.map(({ verb }) => notImplemented(verb))];
  return {
    extensions,
    verbs: new Map(verbs.map((verb) => [verb.verb, verb])),
    mailParams: new Map(extensions.flatMap(({ mailParams = {} }) => Object.entries(mailParams))),
    rcptParams: new Map(extensions.flatMap(({ rcptParams = {} }) => Object.entries(rcptParams))),
    extraLineBytes: sumByVerb(extensions),
  };
}

function verbsOf(extensions: readonly Extension[]): Verb[] {
  return extensions.flatMap(({ verbs = [] }) => verbs);
}

function sumByVerb(extensions: readonly Extension[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { extraLineBytes = {} } of extensions) {
    for (const [verb, bytes] of Object.entries(extraLineBytes)) {
      sums.set(verb, (sums.get(verb) ?? 0) + bytes);
    }
  }
  return sums;
}
