import type { Extension } from "../extension.ts";

/**
 * VRFY (RFC 5321 3.5.1) is always answered; that it is worth a question is told where there are
 * aliases to look it up in. Switched off, it never says more than that mail will be tried.
 */
export const vrfy: Extension = {
  name: "VRFY",
  available: ({ aliases }) => aliases !== null,
  ehloLine: () => "VRFY",
};
