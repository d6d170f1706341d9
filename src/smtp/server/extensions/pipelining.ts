import type { Extension } from "../extension.ts";

/** PIPELINING (RFC 2920). The session answers what came together in one write anyway. */
export const pipelining: Extension = {
  name: "PIPELINING",
  ehloLine: () => "PIPELINING",
};
