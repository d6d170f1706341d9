/** Header fields as an API would read them, without the relay's code. */

/** The unfolded values of all fields of one name. */
export function fieldValues(message: Uint8Array, name: string): string[] {
  const text = new TextDecoder().decode(message);
  const head = text.slice(0, text.indexOf("\r\n\r\n")).replace(/\r\n(?=[ \t])/g, "");
  return head.split("\r\n")
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}

/** Whom a program that reads recipients from the fields sends a message to. */
export function addressedTo(message: Uint8Array): string[] {
  const found = new Set<string>();
  for (const name of ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"]) {
    for (const value of fieldValues(message, name)) {
      for (const [address] of value.matchAll(/(?:"[^"]*"|[^\s<>,:;"]+)@[^\s<>,:;"]+/g)) {
        found.add(address);
      }
    }
  }
  return [...found];
}

/** The message behind its header section. */
export function contentOf(message: Uint8Array): string {
  const text = new TextDecoder().decode(message);
  return text.slice(text.indexOf("\r\n\r\n"));
}
