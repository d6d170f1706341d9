import type { Reply } from "../mail/reply.ts";

/** What a policy says about something a client asks for. */
export type Decision =
  | { readonly kind: "accept" }
  | {
    readonly kind: "refuse";
    /** What the client is told; code 400 to 599. */
    readonly reply: Reply;
    /** What the log is told, where the reply does not tell it. */
    readonly cause?: string;
  };

/** The decision that lets pass. */
export const ACCEPT: Decision = { kind: "accept" };

/** Makes a refusal. */
export function refuse(reply: Reply, cause?: string): Decision {
  return cause === undefined ? { kind: "refuse", reply } : { kind: "refuse", reply, cause };
}
