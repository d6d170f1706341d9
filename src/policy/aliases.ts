import { isAsciiText, type Mailbox, parseMailbox } from "../mail/address.ts";
import type { Notify, Recipient } from "../mail/envelope.ts";
import { encodeXtext } from "../mail/xtext.ts";

/** A mailbox of this relay that stands for others. */
export interface Alias {
  readonly mailbox: Mailbox;
  /** Whom it names, aliases among them not followed. */
  readonly members: readonly Mailbox[];
}

/** What is known by a name. */
export type AliasLookup =
  | { readonly kind: "unknown" }
  | { readonly kind: "found"; readonly alias: Alias }
  /** The name has no domain, and several domains have it. */
  | { readonly kind: "ambiguous"; readonly aliases: readonly Alias[] };

const UNKNOWN: AliasLookup = { kind: "unknown" };

/** The aliases of a relay, as pure data. Local parts are compared without regard to case. */
export class AliasMap {
  readonly #byMailbox = new Map<string, Alias>();
  readonly #byLocalPart = new Map<string, Alias[]>();

  /**
   * `entries` are mailboxes with their members.
   *
   * @throws RangeError for what is no mailbox.
   */
  constructor(entries: Iterable<readonly [string, readonly string[]]>) {
    for (const [name, members] of entries) {
      this.#add({ mailbox: mailboxOf(name), members: members.map(mailboxOf) });
    }
  }

  /** The alias with this mailbox. */
  get(mailbox: Mailbox): Alias | null {
    return this.#byMailbox.get(keyOf(mailbox)) ?? null;
  }

  /** The alias that somebody means by a mailbox or its local part. */
  find(text: string): AliasLookup {
    const parsed = parseMailbox(text);
    if (parsed.kind === "ok") {
      const alias = this.get(parsed.mailbox);
      return alias === null ? UNKNOWN : { kind: "found", alias };
    }
    const aliases = this.#byLocalPart.get(text.toLowerCase()) ?? [];
    const [alias] = aliases;
    if (alias === undefined) return UNKNOWN;
    return aliases.length === 1 ? { kind: "found", alias } : { kind: "ambiguous", aliases };
  }

  /**
   * Everybody an alias stands for in the end, each once. An alias that names itself stands for
   * itself, too, as for a copy; one that is met again by way of others is followed no further.
   */
  expand(alias: Alias): Mailbox[] {
    const found = new Map<string, Mailbox>();
    const followed = new Set([alias]);
    for (const { mailbox, members } of followed) { // grows while it is walked
      for (const member of members) {
        const inner = this.get(member);
        const isItself = keyOf(member) === keyOf(mailbox);
        if (inner === null || isItself) found.set(exactKeyOf(member), member);
        else followed.add(inner);
      }
    }
    return [...found.values()];
  }

  #add(alias: Alias): void {
    this.#byMailbox.set(keyOf(alias.mailbox), alias);
    const localPart = alias.mailbox.localPart.toLowerCase();
    this.#byLocalPart.set(localPart, [...this.#byLocalPart.get(localPart) ?? [], alias]);
  }
}

/** What a sender asked for with a recipient (RFC 3461 4). */
export type RecipientParams = Pick<Recipient, "notify" | "originalRecipient">;

/**
 * The recipients that stand in the place of an alias. The sender learns of them only what RFC 3461
 * section 5.2.7 wants told: failures name the alias as the original recipient, and where several
 * members take its place, success is reported of the expansion and not of each of them.
 */
export function membersInPlace(
  alias: Mailbox,
  { members, params }: { members: readonly Mailbox[]; params: RecipientParams },
): Recipient[] {
  const isList = members.length > 1;
  const notify = isList && params.notify ? withoutSuccess(params.notify) : params.notify;
  const originalRecipient = params.originalRecipient ?? originalOf(alias);
  return members.map(({ text, domain }) => ({
    ...{ forwardPath: text, domain },
    ...(notify === undefined ? {} : { notify }),
    ...(originalRecipient === undefined ? {} : { originalRecipient }),
  }));
}

function withoutSuccess(notify: readonly Notify[]): readonly Notify[] {
  const others = notify.filter((event) => event !== "SUCCESS");
  return others.length === 0 ? ["NEVER"] : others;
}

function originalOf({ text }: Mailbox): string | undefined {
  return isAsciiText(text) ? `rfc822;${encodeXtext(text)}` : undefined;
}

function mailboxOf(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (parsed.kind === "ok") return parsed.mailbox;
  throw new RangeError(`Cannot use the alias: ${parsed.reason}, got ${JSON.stringify(text)}`);
}

function keyOf({ localPart, domain }: Mailbox): string {
  return `${localPart.toLowerCase()}@${domain}`;
}

/** Local parts belong to their hosts, who may tell cases apart (RFC 5321 2.4). */
function exactKeyOf({ localPart, domain }: Mailbox): string {
  return `${localPart}@${domain}`;
}
