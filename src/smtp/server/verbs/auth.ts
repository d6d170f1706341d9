import type { AuthExchange, AuthStep } from "../../../auth/authenticator.ts";
import { authAvailability } from "../../../auth/availability.ts";
import { AUTH_LINE_LIMIT_BYTES, AUTH_REPLIES, failureReply } from "../../../auth/replies.ts";
import { decodeText } from "../../../base/bytes.ts";
import { reply } from "../../../mail/reply.ts";
import { authFacts } from "../auth_facts.ts";
import { REPLIES } from "../replies.ts";
import type { SessionState } from "../state.ts";
import { answer, GONE, type Verb, type VerbResult, type VerbSession } from "../verb.ts";

const SYNTAX = answer(reply(501, "5.5.4", "Syntax: AUTH <mechanism> [initial-response]"));
const TOO_LONG = answer(failureReply("too_long"));
const MALFORMED = answer(failureReply("malformed"));

/** AUTH (RFC 4954 section 4): finds out who the client is. */
export const authVerb: Verb = {
  verb: "AUTH",
  syntax: "AUTH <mechanism> [initial-response]",
  about: "Proves who the client is (RFC 4954)",
  access: "secured",
  check: afterEhlo,
  pipelinable: false,
  // Clients send initial responses that are longer than a command line may be.
  maxLineBytes: AUTH_LINE_LIMIT_BYTES,
  run: (session, args) => {
    const { context: { auth }, tls, authenticated } = session;
    if (authenticated || auth === null) return answer(AUTH_REPLIES.outOfSequence);
    if (authAvailability(auth.mode, { tls: tls !== null }) !== "offered") {
      return answer(AUTH_REPLIES.encryptionRequired);
    }
    const [mechanism = "", initialResponse = null, ...rest] = args.split(" ");
    if (mechanism === "" || rest.length > 0) return SYNTAX;
    const exchange = auth.authenticator.start(mechanism, authFacts(session));
    if (exchange === null) return answer(AUTH_REPLIES.unknownMechanism);
    const run = () => authenticate(session, { exchange, initialResponse });
    return { kind: "takeover", reply: null, run };
  },
};

/** AUTH belongs to ESMTP, and not into a transaction (RFC 4954 section 4). */
function afterEhlo(state: SessionState) {
  if (state.kind === "start") return REPLIES.sayHelloFirst;
  if (state.kind === "transaction") return AUTH_REPLIES.outOfSequence;
  return "greeting" in state && !state.greeting.esmtp ? REPLIES.sayEhloFirst : null;
}

async function authenticate(
  session: VerbSession,
  { exchange, initialResponse }: { exchange: AuthExchange; initialResponse: string | null },
): Promise<VerbResult> {
  let step = await exchange.begin(initialResponse);
  while (step.kind === "challenge") {
    session.channel.send(reply(334, null, step.text));
    if (!await session.channel.flush()) return GONE;
    const line = await session.channel.readLine();
    if (line === null) return GONE;
    if (line.kind === "too_long") return TOO_LONG;
    if (line.kind === "bare_lf") return MALFORMED;
    step = await exchange.respond(decodeText(line.bytes));
  }
  return conclude(session, step);
}

function conclude(
  session: VerbSession,
  step: Exclude<AuthStep, { kind: "challenge" }>,
): VerbResult {
  if (step.kind === "failure") return answer(step.reply, step.cause);
  session.authenticate(step.identity);
  return answer(AUTH_REPLIES.success);
}
