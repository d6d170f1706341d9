import type { Identity } from "../../auth/authenticator.ts";
import type { Attributes } from "./client_claim.ts";
import { tlsText } from "./origin.ts";
import type { VerbSession } from "./verb.ts";

/** Tells that a client has connected. */
export function tellOpened(session: VerbSession): void {
  const { clientPort } = session;
  session.context.events({ type: "session_opened", ...about(session), clientPort });
}

/** Tells that the connection is closed, and why. */
export function tellClosed(session: VerbSession): void {
  const { clientPort, context, channel, tally: { messages } } = session;
  const reason = channel.closing ?? "error";
  const cause = channel.tlsFailure === null ? {} : { cause: channel.tlsFailure };
  const told = { clientPort, reason, messages, ...cause };
  context.events({ type: "session_closed", ...about(session), ...told });
}

/** Tells that the connection is inside TLS from now on. */
export function tellSecured(
  session: VerbSession,
  { discardedBytes }: { discardedBytes: number },
): void {
  const { tls, user, context } = session;
  if (tls === null) return;
  context.events({
    type: "session_secured",
    ...about(session),
    tls: tlsText(tls),
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    ...(tls.peer === undefined ? {} : {
      clientCertificate: tls.peer.subject,
      clientCertificateTrusted: tls.peer.authorized,
    }),
    ...(user === null ? {} : { user }),
    ...(discardedBytes === 0 ? {} : { discardedBytes }),
  });
}

/** Tells who the client proved to be. */
export function tellAuthenticated(session: VerbSession, identity: Identity): void {
  const { user, mechanism, device } = identity;
  const told = { user, mechanism, ...(device === null ? {} : { device }) };
  session.context.events({ type: "authenticated", ...about(session), ...told });
}

/** Tells what a proxy said of its client. */
export function tellForwarded(
  session: VerbSession,
  { command, attributes }: { command: "XCLIENT" | "XFORWARD"; attributes: Attributes },
): void {
  const told = [...attributes].map(([name, value]) => [name, value ?? "unknown"]);
  const by = session.channel.remote.address;
  const said = { command, by, attributes: Object.fromEntries(told) };
  session.context.events({ type: "client_named", ...about(session), ...said });
}

/** Tells of a command that was answered with 4xx or 5xx. */
export function tellRefused(
  session: VerbSession,
  { verb, reply, cause }: { verb: string; reply: string; cause: string | undefined },
): void {
  const told = { verb, reply, ...(cause === undefined ? {} : { cause }) };
  session.context.events({ type: "command_refused", ...about(session), ...told });
}

/** Tells of what should not happen. */
export function tellBug(
  { sessionId, context }: VerbSession,
  { verb, cause }: { verb: string; cause: unknown },
): void {
  const message = `Cannot answer ${verb} in session ${sessionId}: internal error`;
  context.events({ type: "trouble", level: "error", component: "smtp", message, cause });
}

function about({ sessionId, listener, clientAddress }: VerbSession) {
  return { sessionId, listener, clientAddress };
}
