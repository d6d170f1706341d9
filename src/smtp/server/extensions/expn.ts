import type { Extension } from "../extension.ts";
import { expn as verb } from "../verbs/expn.ts";

/** EXPN (RFC 5321 3.5.2), where there are lists to tell of. */
export const expn: Extension = {
  name: "EXPN",
  available: ({ aliases }) => aliases !== null,
  ehloLine: (session) => session.context.policy.trusts(session) ? "EXPN" : null,
  verbs: [verb],
};
