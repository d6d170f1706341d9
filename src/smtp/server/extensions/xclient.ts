import { reply } from "../../../mail/reply.ts";
import { type AttributeName, parseAttributes } from "../client_claim.ts";
import type { Extension } from "../extension.ts";
import { tellForwarded } from "../session_events.ts";
import type { SessionState } from "../state.ts";
import { answer, type Verb, type VerbSession } from "../verb.ts";

const DENIED = answer(reply(550, "5.7.0", "Not authorized to use XCLIENT or XFORWARD"));
const WITHIN_MESSAGE = reply(503, "5.5.1", "Mail transaction in progress");
const NOTED = answer(reply(250, "2.0.0", "Ok"));

const XCLIENT_NAMES: readonly AttributeName[] = [
  ...["NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"] as const,
];
const XFORWARD_NAMES: readonly AttributeName[] = [
  ...["NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"] as const,
];

const xclientVerb: Verb = {
  verb: "XCLIENT",
  syntax: "", // nobody else has to know
  about: "",
  access: "open",
  check: outsideMessage,
  pipelinable: false,
  run: (session, args) => {
    if (!speaksForOthers(session)) return DENIED;
    const parsed = parseAttributes(args, XCLIENT_NAMES);
    if (parsed.kind === "error") return answer(reply(501, "5.5.4", parsed.reason));
    return session.assume(parsed.attributes);
  },
};

const xforwardVerb: Verb = {
  verb: "XFORWARD",
  syntax: "",
  about: "",
  access: "open",
  check: outsideMessage,
  pipelinable: false,
  run: (session, args) => {
    if (!speaksForOthers(session)) return DENIED;
    const parsed = parseAttributes(args, XFORWARD_NAMES);
    if (parsed.kind === "error") return answer(reply(501, "5.5.4", parsed.reason));
    tellForwarded(session, { command: "XFORWARD", attributes: parsed.attributes });
    return NOTED;
  },
};

/**
 * XCLIENT, as Postfix documents it (XCLIENT_README): a proxy names the client, and the session
 * begins again as that client's.
 */
export const xclient: Extension = {
  name: "XCLIENT",
  ehloLine: (session) => speaksForOthers(session) ? `XCLIENT ${XCLIENT_NAMES.join(" ")}` : null,
  verbs: [xclientVerb],
};

/**
 * XFORWARD, as Postfix documents it (XFORWARD_README): a content filter tells where mail came
 * from, for the log alone.
 */
export const xforward: Extension = {
  name: "XFORWARD",
  ehloLine: (session) => speaksForOthers(session) ? `XFORWARD ${XFORWARD_NAMES.join(" ")}` : null,
  verbs: [xforwardVerb],
};

/** It is the peer that must be trusted, not whom it spoke for before. */
function speaksForOthers({ context, channel }: VerbSession): boolean {
  return context.policy.speaksForOthers(channel.remote.address);
}

function outsideMessage(state: SessionState) {
  return state.kind === "transaction" ? WITHIN_MESSAGE : null;
}
