import type { z } from "zod";
import { listOf, mailbox, oneOf } from "../fields.ts";
import { mailboxPattern } from "./route_match.ts";

/** What becomes of mail, whatever its way out. */
export interface TreatmentConfig {
  readonly mode: "deliver" | "hold" | "capture" | "redirect";
  /** Recipients that get their mail regardless of the mode; `*` stands for any text. */
  readonly allow?: readonly string[];
  /** Who gets all mail; for the mode `redirect`. */
  readonly redirect?: string;
}

/** The keys of tables that say what becomes of mail. */
export const treatmentKeys = {
  mode: oneOf(["deliver", "hold", "capture", "redirect"]).optional().describe(
    "Delivery mode. Default: redirect if redirect is set, capture if allow is set, else " +
      "deliver.",
  ),
  redirect: mailbox().optional()
    .describe("Mailbox that receives all mail; only the envelope changes."),
  allow: listOf(mailboxPattern(), { atLeastOne: "mail address" }).optional()
    .describe("Recipients that receive mail in every mode; * matches any text."),
};

interface TreatmentDoc {
  readonly mode?: z.output<typeof treatmentKeys.mode>;
  readonly redirect?: string | undefined;
  readonly allow?: readonly string[] | undefined;
}

/** The values of `treatmentKeys`; null when all mail is delivered. */
export function treatmentConfig({ mode, redirect, allow }: TreatmentDoc): TreatmentConfig | null {
  const implied = redirect !== undefined ? "redirect" : allow !== undefined ? "capture" : "deliver";
  const effective = mode ?? implied;
  if (effective === "deliver") return null;
  return {
    mode: effective,
    ...(allow === undefined ? {} : { allow }),
    ...(redirect === undefined ? {} : { redirect }),
  };
}
