import { isAsciiText } from "../../mail/address.ts";
import type { VerbSession } from "./verb.ts";

/** What VRFY or EXPN asks for. */
export interface Lookup {
  /** A mailbox or a name, without angle brackets. */
  readonly text: string;
  /** Whether the reply may hold UTF-8 (RFC 6531 section 3.7.4.2). */
  readonly utf8: boolean;
}

/** Reads the arguments of VRFY or EXPN; null where they are none. */
export function readLookup(args: string, { context }: VerbSession): Lookup | null {
  const takesUtf8 = context.offer.extensions.some(({ name }) => name === "SMTPUTF8");
  const utf8 = takesUtf8 && / SMTPUTF8$/i.test(args);
  const name = (utf8 ? args.slice(0, -" SMTPUTF8".length) : args).trim();
  const text = name.startsWith("<") && name.endsWith(">") ? name.slice(1, -1) : name;
  return text === "" ? null : { text, utf8 };
}

/** Whether these mailboxes may stand in the reply. */
export function isShowable(mailboxes: readonly string[], { utf8 }: Lookup): boolean {
  return utf8 || mailboxes.every(isAsciiText);
}
