import { formatReply, type Reply, reply } from "../../mail/reply.ts";
import type { SmtpClient } from "../../smtp/client/client.ts";
import type { Outcome, RemoteHop } from "../transport.ts";
import type { Login } from "./options.ts";
import { formatHop, judgeOpening } from "./outcome.ts";

/**
 * Logs in to an open session (RFC 4954). Null when the server took it; otherwise what that means
 * for mail, which is never a bounce: the login is this relay's own affair.
 */
export async function logIn(
  client: SmtpClient,
  { login, hop, signal }: { login: Login; hop: RemoteHop; signal: AbortSignal },
): Promise<Outcome | null> {
  const fail = (reason: string) => unusable(`Cannot log in to ${formatHop(hop)}: ${reason}`);
  if (client.tls === null && !login.allowPlain) return fail("the connection is not secured");
  const { auth } = client.capabilities;
  if (auth.length === 0) return fail("it offers no authentication");
  const untried = new Set(auth);
  let refusal: Reply | null = null;
  for (;;) {
    const start = await login.begin([...untried]);
    if (start.kind === "unusable") {
      return refusal === null ? fail(start.reason) : refused(refusal, { login, fail });
    }
    const result = await client.authenticate(start.exchange, { signal });
    if (result.kind === "authenticated") return null;
    if (result.kind === "not_trusted") {
      return fail("it could not prove that it knows the password");
    }
    if (result.kind === "lost") return judgeOpening(result, hop);
    refusal = result.reply;
    untried.delete(start.exchange.mechanism);
    if (!isOfMechanism(refusal) || !client.isUsable) return refused(refusal, { login, fail });
  }
}

/**
 * Whether a refusal says something of the mechanism alone, so that another may do (RFC 4954
 * sections 4 and 6): it is unknown, too weak, wants encryption, or the password has yet to be made
 * fit for it. 535 says that name or password is wrong; to repeat them would only lock the account.
 */
function isOfMechanism({ code, enhanced }: Reply): boolean {
  const status = enhanced?.slice(1);
  if (status !== undefined && OF_MECHANISM.has(status)) return true;
  return code === 432 || code === 504 || code === 534 || code === 538;
}

/** RFC 3463 and RFC 4954 section 6: X.5.4, X.7.9, X.7.11 and X.7.12. */
const OF_MECHANISM: ReadonlySet<string> = new Set([".5.4", ".7.9", ".7.11", ".7.12"]);

function refused(
  refusal: Reply,
  { login, fail }: { login: Login; fail: (reason: string) => Outcome },
): Outcome {
  // RFC 4954 section 6: 454 and other 4yz replies pass by themselves.
  if (refusal.code < 500) return { kind: "temporary", reply: refusal };
  login.refused();
  return fail(formatReply(refusal));
}

/** Wrong for every message of the transport alike (RFC 3463 3.8: security credentials). */
function unusable(text: string): Outcome {
  return { kind: "broken", scope: "transport", reply: reply(451, "4.7.8", text) };
}
