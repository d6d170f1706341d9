import { reply } from "../../../mail/reply.ts";
import type { Extension } from "../extension.ts";
import { messageLimit } from "../message_limit.ts";

const BAD_SIZE = reply(501, "5.5.4", "SIZE is 1 to 20 digits");

/** The refusal of a message that is, or is announced to be, larger than the limit. */
export const TOO_LARGE = reply(552, "5.3.4", "Message exceeds the size limit");

/** SIZE (RFC 1870). The limit holds again at the end of the data, whatever was announced. */
export const size: Extension = {
  name: "SIZE",
  ehloLine: (session) => `SIZE ${messageLimit(session)}`, // 0: no fixed limit, section 4
  extraLineBytes: { MAIL: 26 }, // section 3 (3)
  mailParams: {
    SIZE: ({ value, session }) => {
      if (value === null || !/^\d{1,20}$/.test(value)) return BAD_SIZE;
      const maxBytes = messageLimit(session);
      return maxBytes > 0 && Number(value) > maxBytes ? TOO_LARGE : null; // section 6.1
    },
  },
};
