import { preparePassword } from "../../auth/prepare.ts";
import type { Flag, Invocation } from "../command.ts";

/** Where a password comes from. */
export const PASSWORD_FLAGS: readonly Flag[] = [
  {
    name: "password-stdin",
    kind: "switch",
    help: "Read the password from the first line of standard input.",
  },
  { name: "generate", kind: "switch", help: "Generate a password and print it once." },
];

/** A password that can be stored, or why there is none. */
export type PasswordInput =
  | { readonly kind: "ok"; readonly password: string; readonly isGenerated: boolean }
  | { readonly kind: "wrong"; readonly reason: string };

/** NIST SP 800-63B section 3.1.1.2 */
const LEAST_CHARS = 8;
/** Crockford base 32 in lower case: nothing that is read as something else. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const GROUPS = 5;
const GROUP_CHARS = 4;

/** Gets a password the way the flags say; at a terminal it is asked for twice, without echo. */
export async function readPassword(
  { io, flags }: Pick<Invocation, "io" | "flags">,
): Promise<PasswordInput> {
  if (flags.switch("generate")) return generatePassword();
  if (flags.switch("password-stdin")) return checked(await io.stdin.readLine());
  if (!io.terminal.stdin) {
    return wrong(
      "Cannot ask for a password without a terminal; use --password-stdin or --generate.",
    );
  }
  const password = await io.stdin.readSecret(() => io.err("Password: "));
  io.err("\n");
  if (password === null) return wrong("No password was entered.");
  const again = await io.stdin.readSecret(() => io.err("Repeat the password: "));
  io.err("\n");
  return password === again ? checked(password) : wrong("The passwords differ.");
}

/** A password of 100 random bits, in groups that can be typed. */
export function generatePassword(): PasswordInput {
  const octets = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_CHARS));
  const characters = Array.from(octets, (octet) => ALPHABET.charAt(octet % ALPHABET.length));
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => characters.slice(index * GROUP_CHARS, (index + 1) * GROUP_CHARS).join(""),
  );
  return { kind: "ok", password: groups.join("-"), isGenerated: true };
}

function checked(text: string | null): PasswordInput {
  const password = preparePassword(text ?? "");
  if (password === null) {
    return wrong("The password is empty, too long or contains control characters.");
  }
  if ([...password].length < LEAST_CHARS) {
    return wrong(`The password is too short; use at least ${LEAST_CHARS} characters.`);
  }
  return { kind: "ok", password, isGenerated: false };
}

function wrong(reason: string): PasswordInput {
  return { kind: "wrong", reason };
}
