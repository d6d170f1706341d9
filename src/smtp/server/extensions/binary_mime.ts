import { readBodyType } from "../body_type.ts";
import type { Extension } from "../extension.ts";

/** BINARYMIME (RFC 3030 section 3), which needs BDAT. */
export const binaryMime: Extension = {
  name: "BINARYMIME",
  needs: ["CHUNKING"],
  ehloLine: () => "BINARYMIME",
  mailParams: { BODY: readBodyType },
};
