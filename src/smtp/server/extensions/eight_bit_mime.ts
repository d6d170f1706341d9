import { reply } from "../../../mail/reply.ts";
import type { Extension } from "../extension.ts";

const BAD_BODY = reply(501, "5.5.4", "BODY is 7BIT or 8BITMIME");

/** 8BITMIME (RFC 6152). */
export const eightBitMime: Extension = {
  name: "8BITMIME",
  ehloLine: () => "8BITMIME",
  extraLineBytes: 17, // RFC 6152 section 2 (6)
  mailParams: {
    BODY: ({ params, value }) => {
      const body = value?.toUpperCase();
      if (body !== "7BIT" && body !== "8BITMIME") return BAD_BODY;
      params.body = body;
      return null;
    },
  },
};
