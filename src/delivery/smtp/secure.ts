import { formatReply } from "../../mail/reply.ts";
import type { ClientTlsUpgrade, Conn, TlsInfo } from "../../net/conn.ts";
import { TlsError } from "../../net/conn_error.ts";
import type { OpenFailure, SmtpClient } from "../../smtp/client/client.ts";
import { judgeTls, type TlsProblem } from "../tls/judge.ts";
import { requiresTls, type TlsPolicy, type TlsProof, type TlsSettings } from "../tls/policy.ts";

/** What securing a connection came to. */
export type Secured =
  /** It fits its policy; `proof` is null where nobody had to prove anything. */
  | { readonly kind: "fits"; readonly proof: TlsProof | null }
  /** It does not, and must not be used. */
  | { readonly kind: "problem"; readonly problem: TlsProblem; readonly tls: TlsInfo | null }
  /** The session ended, or the server would not go on. */
  | { readonly kind: "failed"; readonly failure: OpenFailure };

/** What a connection is to become. */
export interface SecureOptions {
  /** The name to ask for and to expect, or an IP address. */
  readonly host: string;
  readonly policy: TlsPolicy;
  readonly settings: TlsSettings;
}

/** Makes the handshake before the first word of SMTP (RFC 8314 section 3). */
export async function secureFirst(
  conn: Conn,
  { timeoutMs, ...options }: SecureOptions & { readonly timeoutMs: number },
): Promise<
  { readonly kind: "secured"; readonly conn: Conn; readonly proof: TlsProof | null } | {
    readonly kind: "problem";
    readonly problem: TlsProblem;
    readonly tls: TlsInfo | null;
  }
> {
  try {
    const secured = await conn.upgradeToTls({ ...upgradeOf(options), timeoutMs });
    const verdict = judgeTls(secured.tls, options);
    if (verdict.kind === "fits") return { kind: "secured", conn: secured, proof: verdict.proof };
    secured.close();
    return { ...verdict, tls: secured.tls };
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    return { kind: "problem", problem: handshakeProblem(error), tls: null };
  }
}

/** Secures an open session as its policy asks (RFC 3207). */
export async function secureSession(
  client: SmtpClient,
  { signal, ...options }: SecureOptions & { readonly signal: AbortSignal },
): Promise<Secured> {
  const { policy, settings } = options;
  if (policy.level === "none" || settings.implicit === true) return PLAIN;
  if (!client.capabilities.startTls) {
    return requiresTls(policy) ? notSupported("does not offer STARTTLS") : PLAIN;
  }
  const result = await client.startTls(upgradeOf(options), { signal });
  switch (result.kind) {
    case "secured":
      return judged(client.tls, options);
    case "declined":
      if (!requiresTls(policy)) return PLAIN;
      return notSupported(`refused STARTTLS: ${formatReply(result.reply)}`);
    case "refused":
      return { kind: "failed", failure: result };
    case "lost":
      if (result.lost.cause !== "tls") return { kind: "failed", failure: result };
      return { kind: "problem", problem: handshakeProblem(result.lost.detail), tls: null };
  }
}

function judged(tls: TlsInfo | null, options: SecureOptions): Secured {
  const verdict = judgeTls(tls, options);
  return verdict.kind === "fits" ? verdict : { ...verdict, tls };
}

const PLAIN: Secured = { kind: "fits", proof: null };

/** Any certificate will do for the handshake; what it is worth is judged afterwards. */
function upgradeOf({ host, settings }: SecureOptions): Omit<ClientTlsUpgrade, "timeoutMs"> {
  const { ca, clientCertificate, minVersion } = settings;
  return {
    role: "client",
    serverName: host,
    verify: "none",
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(minVersion === undefined ? {} : { minVersion }),
  };
}

function notSupported(text: string): Secured {
  return { kind: "problem", problem: { type: "starttls-not-supported", text }, tls: null };
}

function handshakeProblem(error: unknown): TlsProblem {
  const reason = error instanceof Error ? `: ${error.message}` : "";
  return { type: "validation-failure", text: `failed the TLS handshake${reason}` };
}
