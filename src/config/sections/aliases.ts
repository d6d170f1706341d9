import { z } from "zod";
import { isHostname, listOf, text } from "../fields.ts";

/** Mailboxes of this relay and those they stand for. */
export type AliasesConfig = Readonly<Record<string, readonly string[]>>;

/** A Dot-string of RFC 5321 4.1.2. */
const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

function aliasMailbox(): z.ZodString {
  return text({
    expected: `a mail address such as "team@example.net"`,
    isValid: (value) => {
      const at = value.lastIndexOf("@");
      return at <= 64 && value.length <= 254 && DOT_STRING.test(value.slice(0, Math.max(at, 0))) &&
        isHostname(value.slice(at + 1));
    },
  });
}

/** The `[aliases]` table. */
export const aliasesSchema = z.record(
  aliasMailbox(),
  listOf(aliasMailbox(), { atLeastOne: "mail address" }),
  { error: "a table of mail addresses with lists of mail addresses" },
).default({}).describe("Aliases: mailboxes that expand to other mailboxes.");
