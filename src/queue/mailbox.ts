/** Folds ASCII letters to lower case and leaves the rest, as SQLite's `lower` does. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
