import type { Origin } from "../../mail/envelope.ts";
import type { TlsInfo } from "../../net/conn.ts";
import type { VerbSession } from "./verb.ts";

/** Where a message of this session comes from. */
export function originOf(session: VerbSession, { smtpUtf8 }: { smtpUtf8: boolean }): Origin {
  const { listener, clientAddress, clientPort, helo, tls, user } = session;
  return {
    listener,
    clientAddress,
    clientPort,
    helo,
    protocol: protocolWord(session, smtpUtf8),
    ...(user === null ? {} : { user }),
    ...(tls === null ? {} : { tls: tlsText(tls) }),
  };
}

/** The word of RFC 3848 and RFC 6531 section 4.3. */
function protocolWord({ esmtp, tls, user }: VerbSession, smtpUtf8: boolean): string {
  if (!esmtp) return "SMTP";
  return `${smtpUtf8 ? "UTF8SMTP" : "ESMTP"}${tls === null ? "" : "S"}${user === null ? "" : "A"}`;
}

/** TLS version and cipher in one text. */
export function tlsText({ version, cipher }: TlsInfo): string {
  return `${version} ${cipher}`.trim() || "TLS";
}
