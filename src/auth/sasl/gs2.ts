/** What stands in front of the messages of GS2 mechanisms (RFC 5801 section 4). */
export type Gs2Header =
  | {
    readonly kind: "ok";
    /** The header as written, both commas included. */
    readonly text: string;
    /** The authorization identity; empty where none is given. */
    readonly authzid: string;
    /** Where the rest of the message begins. */
    readonly end: number;
  }
  | { readonly kind: "channel_binding" }
  | { readonly kind: "malformed" };

/**
 * Reads the header of a client's first message. A client that requires channel binding (`p=`) is
 * refused: the runtime exports no keying material, so no -PLUS mechanism is offered. `y`, by
 * which a client says that it could bind but thinks that the server cannot, is then right
 * (RFC 5802 section 6).
 */
export function readGs2Header(message: string): Gs2Header {
  const flagEnd = message.indexOf(",");
  const end = message.indexOf(",", flagEnd + 1) + 1;
  if (flagEnd < 0 || end === 0) return { kind: "malformed" };
  const flag = message.slice(0, flagEnd);
  if (/^p=[A-Za-z0-9.-]+$/.test(flag)) return { kind: "channel_binding" };
  const identity = message.slice(flagEnd + 1, end - 1);
  if (flag !== "n" && flag !== "y") return { kind: "malformed" };
  if (identity === "") return { kind: "ok", text: message.slice(0, end), authzid: "", end };
  const authzid = identity.startsWith("a=") ? unescapeName(identity.slice(2)) : null;
  if (authzid === null) return { kind: "malformed" };
  return { kind: "ok", text: message.slice(0, end), authzid, end };
}

/**
 * Reads a `saslname` (RFC 5802 section 5.1): `=2C` is a comma, `=3D` an equals sign, and no other
 * `=` may occur. Null where it is none or empty.
 */
export function unescapeName(text: string): string | null {
  if (text === "" || text.includes("\0") || /=(?!2C|3D)/.test(text)) return null;
  return text.replaceAll("=2C", ",").replaceAll("=3D", "=");
}
