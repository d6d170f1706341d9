import { parseDomain } from "../../../mail/address.ts";
import { type Reply, reply } from "../../../mail/reply.ts";
import { afterGreeting } from "../checks.ts";
import type { QueueRequest, QueueStart, QueueStarter } from "../queue_starter.ts";
import { REPLIES } from "../replies.ts";
import { answer, type Verb } from "../verb.ts";

const IN_TRANSACTION = reply(503, "5.5.1", "Not within a mail transaction");
const SYNTAX = answer(reply(501, "5.5.4", "Syntax: ETRN <domain>, or @<domain> with all below it"));
const NO_SUCH_QUEUE = answer(reply(458, "4.5.4", "Unable to start: queues have no names here"));
const NOT_ALLOWED = answer(
  reply(459, "4.7.1", "Not allowed: the client is not trusted"), // RFC 1985 section 5.3
  "the client may not start queues",
);

/** ETRN (RFC 1985 section 5): makes the mail that waits for a destination due. */
export const etrnVerb: Verb = {
  verb: "ETRN",
  syntax: "ETRN [@]<domain>",
  about: "Tries the mail that waits for a destination now; @ adds what is below it (RFC 1985)",
  access: "authenticated",
  check: (state) => afterGreeting(state) ?? (state.kind === "transaction" ? IN_TRANSACTION : null),
  pipelinable: false,
  run: (session, args) => {
    const { policy, startQueue } = session.context;
    if (startQueue === null) return answer(REPLIES.notImplemented);
    if (!policy.trusts(session)) return NOT_ALLOWED;
    if (args.startsWith("#")) return NO_SUCH_QUEUE;
    const subdomains = args.startsWith("@");
    const domain = parseDomain(subdomains ? args.slice(1) : args);
    if (domain === null) return SYNTAX;
    return start(startQueue, { domain, subdomains }).then((told) => answer(told));
  },
};

async function start(startQueue: QueueStarter, request: QueueRequest): Promise<Reply> {
  const { domain } = request;
  const started: QueueStart = await startQueue(request);
  if (started.kind === "failed") return reply(458, "4.3.0", `Unable to start mail for ${domain}`);
  const { messages } = started;
  if (messages === 0) return reply(251, "2.0.0", `No mail waits for ${domain}`);
  return reply(253, "2.0.0", `${messages} messages for ${domain} started`);
}
