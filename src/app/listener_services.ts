import type { Authenticator } from "../auth/authenticator.ts";
import type { ListenerConfig } from "../config/sections/listeners.ts";
import type { ServerTlsUpgrade } from "../net/conn.ts";
import type { Extension } from "../smtp/server/extension.ts";
import { EXTENSIONS } from "../smtp/server/extensions/mod.ts";
import type { ServerAuth, ServerTls, Services } from "../smtp/server/services.ts";

/** What all listeners share. */
export interface SharedServices extends Pick<Services, "aliases" | "startQueue"> {
  readonly authenticator: Authenticator;
  /** How connections are upgraded; null where there are no certificates. */
  readonly upgrade: (
    request: { readonly clientCertificates: boolean },
  ) => ServerTlsUpgrade | null;
}

const TLS_MODES = { starttls: "offered", required: "required", implicit: "implicit" } as const;

/** What the server of a listener is connected to. */
export function listenerServices(config: ListenerConfig, shared: SharedServices): Services {
  const { aliases, startQueue } = shared;
  return { tls: tlsOf(config, shared), auth: authOf(config, shared), aliases, startQueue };
}

/** The extensions of a listener. */
export function listenerExtensions({ extensionsOff }: ListenerConfig): readonly Extension[] {
  return EXTENSIONS.filter(({ name }) => !extensionsOff.includes(name));
}

function tlsOf({ tls, clientCertificates }: ListenerConfig, shared: SharedServices): ServerTls {
  const upgrade = tls === "none" ? null : shared.upgrade({ clientCertificates });
  if (upgrade === null) return { mode: "none" };
  return { mode: TLS_MODES[tls === null || tls === "none" ? "starttls" : tls], upgrade };
}

function authOf(
  { auth, authWithoutTls }: ListenerConfig,
  { authenticator }: SharedServices,
): ServerAuth | null {
  if (auth === "off") return null;
  const mode = authWithoutTls ? "always" : "tls";
  return { authenticator, mode, required: auth === "required" };
}
