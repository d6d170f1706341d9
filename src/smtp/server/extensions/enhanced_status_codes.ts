import type { Extension } from "../extension.ts";

/** ENHANCEDSTATUSCODES (RFC 2034). */
export const enhancedStatusCodes: Extension = {
  name: "ENHANCEDSTATUSCODES",
  ehloLine: () => "ENHANCEDSTATUSCODES",
};
