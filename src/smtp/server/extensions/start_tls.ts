import { reply } from "../../../mail/reply.ts";
import type { ServerTlsUpgrade } from "../../../net/conn.ts";
import type { Extension } from "../extension.ts";
import { REPLIES } from "../replies.ts";
import { always, answer, GONE, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const GO_AHEAD = reply(220, "2.0.0", "Ready to start TLS");
const SECURE_ALREADY = answer(reply(503, "5.5.1", "TLS is in use already"));

const startTlsVerb: Verb = {
  verb: "STARTTLS",
  syntax: "STARTTLS",
  about: "Continue inside TLS; all previous state is discarded (RFC 3207)",
  access: "open",
  check: always,
  pipelinable: false,
  run: ({ context, tls }, args) => {
    if (args !== "") return answer(REPLIES.noArguments);
    if (tls !== null || !("upgrade" in context.tls)) return SECURE_ALREADY;
    const { upgrade } = context.tls;
    return { kind: "takeover", reply: GO_AHEAD, run: (session) => secure(session, upgrade) };
  },
};

/** STARTTLS (RFC 3207). */
export const startTls: Extension = {
  name: "STARTTLS",
  available: ({ tls }) => tls.mode === "offered" || tls.mode === "required",
  ehloLine: ({ tls }) => tls === null ? "STARTTLS" : null, // section 4.2: not inside TLS
  verbs: [startTlsVerb],
};

/** The client speaks next; there is no second greeting (RFC 3207 section 4.2). */
async function secure(session: VerbSession, upgrade: ServerTlsUpgrade): Promise<VerbResult> {
  return await session.secure(upgrade) ? { kind: "silent" } : GONE;
}
