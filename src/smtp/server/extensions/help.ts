import type { Extension } from "../extension.ts";
import { help as verb } from "../verbs/help.ts";

/** HELP (RFC 5321 4.1.1.8). */
export const help: Extension = {
  name: "HELP",
  ehloLine: () => "HELP",
  verbs: [verb],
};
