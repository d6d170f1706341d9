import type { Extension } from "../extension.ts";
import { etrnVerb } from "../verbs/etrn.ts";

/** ETRN (RFC 1985): starts the queue for a destination, for clients that may send to anyone. */
export const etrn: Extension = {
  name: "ETRN",
  available: ({ startQueue }) => startQueue !== null,
  ehloLine: (session) => session.context.policy.trusts(session) ? "ETRN" : null,
  verbs: [etrnVerb],
};
