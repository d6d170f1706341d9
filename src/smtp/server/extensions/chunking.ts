import type { Extension } from "../extension.ts";
import { bdat } from "../verbs/bdat.ts";

/** CHUNKING (RFC 3030 section 2). */
export const chunking: Extension = {
  name: "CHUNKING",
  ehloLine: () => "CHUNKING",
  verbs: [bdat],
};
