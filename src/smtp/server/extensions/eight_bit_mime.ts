import { readBodyType } from "../body_type.ts";
import type { Extension } from "../extension.ts";

/** 8BITMIME (RFC 6152). */
export const eightBitMime: Extension = {
  name: "8BITMIME",
  ehloLine: () => "8BITMIME",
  extraLineBytes: { MAIL: 17 }, // RFC 6152 section 2 (6)
  mailParams: { BODY: readBodyType },
};
