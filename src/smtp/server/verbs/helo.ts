import { type Reply, reply } from "../../../mail/reply.ts";
import { whenDecided } from "../decide.ts";
import type { SessionFacts } from "../../../reception/facts.ts";
import { asciiHelo, type Greeting } from "../state.ts";
import { always, answer, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const BAD_NAME = reply(501, "5.5.4", "Syntax: HELO or EHLO and the name of your host");

/** HELO (RFC 5321 4.1.1.1), for clients that know no extensions. */
export const helo: Verb = {
  verb: "HELO",
  syntax: "HELO <domain>",
  about: "Names the client, which wants no extensions (RFC 5321 4.1.1.1)",
  access: "secured",
  check: always,
  pipelinable: false,
  run: (session, args) =>
    introduce(
      session,
      { helo: asciiHelo(args), esmtp: false },
      () => reply(250, null, session.context.hostname),
    ),
};

/** EHLO (RFC 5321 4.1.1.1). */
export const ehlo: Verb = {
  verb: "EHLO",
  syntax: "EHLO <domain>",
  about: "Names the client and asks for the extensions (RFC 5321 4.1.1.1)",
  access: "open",
  check: always,
  pipelinable: false,
  run(session, args) {
    const refreshing = session.context.auth?.authenticator.refresh() ?? null;
    return refreshing === null
      ? introduceExtended(session, args)
      : refreshing.then(() => introduceExtended(session, args));
  },
};

function introduceExtended(
  session: VerbSession,
  args: string,
): VerbResult | Promise<VerbResult> {
  return introduce(session, { helo: asciiHelo(args), esmtp: true }, () => {
    const { hostname, offer } = session.context;
    const lines = offer.extensions.map(({ ehloLine }) => ehloLine(session));
    return { code: 250, lines: [hostname, ...lines.filter((line) => line !== null)] };
  });
}

/**
 * Makes the client known by its name and forgets any transaction (RFC 5321 4.1.4). A refusal
 * leaves the session as it was.
 */
function introduce(
  session: VerbSession,
  greeting: Greeting,
  makeReply: () => Reply,
): VerbResult | Promise<VerbResult> {
  // Real clients give names of every kind; a name that is no domain is not refused for that.
  if (greeting.helo === "" || greeting.helo.includes(" ")) return answer(BAD_NAME);
  const facts = { ...factsOf(session), ...greeting };
  return whenDecided(session.context.policy.helo(facts), (decision) => {
    if (decision.kind === "refuse") return answer(decision.reply, decision.cause);
    session.state = { kind: "ready", greeting };
    return answer(makeReply());
  });
}

function factsOf(session: VerbSession): Omit<SessionFacts, keyof Greeting> {
  const { sessionId, listener, clientAddress, clientPort, tls, user } = session;
  return { sessionId, listener, clientAddress, clientPort, tls, user };
}
