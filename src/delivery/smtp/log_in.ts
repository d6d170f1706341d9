import { formatReply, reply } from "../../mail/reply.ts";
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
  const start = await login.begin(auth);
  if (start.kind === "unusable") return fail(start.reason);
  const result = await client.authenticate(start.exchange, { signal });
  switch (result.kind) {
    case "authenticated":
      return null;
    case "not_trusted":
      return fail("it could not prove that it knows the password");
    case "lost":
      return judgeOpening(result, hop);
    case "refused":
      // RFC 4954 section 6: 454 and other 4yz replies pass by themselves.
      if (result.reply.code < 500) return { kind: "temporary", reply: result.reply };
      login.refused();
      return fail(formatReply(result.reply));
  }
}

/** Wrong for every message of the transport alike (RFC 3463 3.8: security credentials). */
function unusable(text: string): Outcome {
  return { kind: "broken", scope: "transport", reply: reply(451, "4.7.8", text) };
}
