import { reply } from "../../mail/reply.ts";
import { refuse } from "../../policy/decision.ts";
import type { SyncCheck } from "../check.ts";

const TOO_MANY = reply(421, "4.3.2", "Too many connections, try again later");
const TOO_MANY_OF_YOURS = reply(421, "4.7.0", "Too many connections from your address");

/** RFC 5321 3.1: a server that cannot serve says 421 instead of 220. */
export const listenerConnections: SyncCheck<null> = {
  name: "listener_connections",
  about: "connections of the listener at a time",
  judge: (_, { connections }) =>
    connections !== null && connections.count > connections.maxConnections
      ? refuse(TOO_MANY)
      : null,
};

/** Holds each client to its connections, except those that no limits are set for. */
export const clientConnections: SyncCheck<null> = {
  name: "client_connections",
  about: "connections of the client at a time",
  judge({ facts: { clientAddress } }, { connections, usage }) {
    if (connections === null || connections.countOf(clientAddress) <= connections.maxPerClient) {
      return null;
    }
    return usage?.isExempt(clientAddress) ? null : refuse(TOO_MANY_OF_YOURS);
  },
};
