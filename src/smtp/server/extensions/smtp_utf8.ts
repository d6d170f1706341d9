import { reply } from "../../../mail/reply.ts";
import type { Extension } from "../extension.ts";

const NO_VALUE = reply(501, "5.5.4", "SMTPUTF8 has no value");

/** SMTPUTF8 (RFC 6531): addresses and header fields outside ASCII. */
export const smtpUtf8: Extension = {
  name: "SMTPUTF8",
  needs: ["8BITMIME"], // section 3.1 (8)
  ehloLine: () => "SMTPUTF8",
  extraLineBytes: { MAIL: 10, VRFY: 10, EXPN: 10 }, // section 3.1 (6)
  mailParams: {
    SMTPUTF8: ({ params, value }) => {
      if (value !== null) return NO_VALUE;
      params.smtpUtf8 = true;
      return null;
    },
  },
};
