import { reply } from "../../../mail/reply.ts";
import type { Extension } from "../extension.ts";

const NO_VALUE = reply(501, "5.5.4", "REQUIRETLS has no value");
const NOT_HERE = reply(530, "5.7.10", "REQUIRETLS needs TLS on this connection, too");

/** REQUIRETLS (RFC 8689): a message that goes over TLS or not at all. */
export const requireTls: Extension = {
  name: "REQUIRETLS",
  available: ({ tls }) => tls.mode !== "none",
  ehloLine: ({ tls }) => tls === null ? null : "REQUIRETLS", // section 2 (2)
  extraLineBytes: { MAIL: 11 },
  mailParams: {
    REQUIRETLS: ({ params, value, session }) => {
      if (value !== null) return NO_VALUE;
      if (session.tls === null) return NOT_HERE;
      params.extras.requireTls = true;
      return null;
    },
  },
};
