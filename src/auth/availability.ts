/** When a listener offers AUTH: never, inside TLS alone, or on plain connections too. */
export type AuthMode = "never" | "tls" | "always";

/** Whether AUTH is offered on a connection, and if not, why. */
export type AuthAvailability =
  | "offered"
  /** It would be inside TLS; the command gets 538 (RFC 4954 section 4). */
  | "needs_tls"
  /** The command is not known here. */
  | "never";

/** Decides whether a connection is offered AUTH. */
export function authAvailability(mode: AuthMode, { tls }: { tls: boolean }): AuthAvailability {
  if (mode === "never") return "never";
  return tls || mode === "always" ? "offered" : "needs_tls";
}
