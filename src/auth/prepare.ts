/** RFC 3454 table C.1.2: spaces other than U+0020. */
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454 table B.1: characters that are commonly mapped to nothing. */
const MAPPED_TO_NOTHING =
  /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/g;
/** RFC 3454 tables C.2 to C.9: controls, private use, non-characters, surrogates, tags … */
const PROHIBITED =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u206f\u2ff0-\u2ffb\u0340\u0341\ufeff\ufff9-\uffff\ufdd0-\ufdef\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/** More would be no name (RFC 4616 section 2 asks for 255). */
const USERNAME_LIMIT_BYTES = 255;
/** Room for tokens in place of passwords; hashing time does not grow with it. */
const PASSWORD_LIMIT_BYTES = 1024;

/**
 * Prepares a password for hashing, as RFC 5802 section 5.1 and RFC 4616 section 5 ask (SASLprep,
 * RFC 4013). Its check of mixed writing directions is left out: RFC 8265, which replaces it, has
 * none, and a client that has it never sends such a password.
 *
 * @returns null where the password is empty, too long or has characters that are not allowed.
 */
export function preparePassword(text: string): string | null {
  const mapped = text.replace(OTHER_SPACES, " ").replace(MAPPED_TO_NOTHING, "");
  return allowed(mapped.normalize("NFKC"), PASSWORD_LIMIT_BYTES);
}

/**
 * Prepares a user's name for comparison: RFC 8265 section 3.3 (UsernameCaseMapped), with NFKC for
 * its mapping of widths. Names are the same regardless of their case.
 *
 * @returns null where it cannot be a name.
 */
export function prepareUsername(text: string): string | null {
  const name = allowed(text.normalize("NFKC").toLowerCase().normalize("NFC"), USERNAME_LIMIT_BYTES);
  return name === null || /\s/.test(name) ? null : name;
}

/** Whether two names mean the same user. */
export function isSameUsername(left: string, right: string): boolean {
  const name = prepareUsername(left);
  return name !== null && name === prepareUsername(right);
}

function allowed(text: string, limitBytes: number): string | null {
  if (text === "" || PROHIBITED.test(text)) return null;
  const isTooLong = text.length > limitBytes || new TextEncoder().encode(text).length > limitBytes;
  return isTooLong ? null : text;
}
