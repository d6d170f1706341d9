import type { Authenticator } from "../../auth/authenticator.ts";
import type { AuthMode } from "../../auth/availability.ts";
import type { ServerTlsUpgrade } from "../../net/conn.ts";
import type { AliasMap } from "../../policy/aliases.ts";
import type { QueueStarter } from "./queue_starter.ts";

/** How the connections of a listener come to TLS. */
export type ServerTls =
  | { readonly mode: "none" }
  | {
    /**
     * `offered` and `required` are STARTTLS (RFC 3207), `implicit` is TLS from the first octet
     * (RFC 8314 section 3.3).
     */
    readonly mode: "offered" | "required" | "implicit";
    readonly upgrade: ServerTlsUpgrade;
  };

/** How the clients of a listener authenticate (RFC 4954). */
export interface ServerAuth {
  readonly authenticator: Authenticator;
  readonly mode: AuthMode;
  /** Whether mail is taken from authenticated clients only. */
  readonly required: boolean;
}

/** What a server is connected to, and does without where it is null. */
export interface Services {
  readonly tls: ServerTls;
  readonly auth: ServerAuth | null;
  readonly aliases: AliasMap | null;
  readonly startQueue: QueueStarter | null;
}
