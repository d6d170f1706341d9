import type { RecipientRecord } from "../queue/store.ts";
import type { Job } from "./job.ts";
import type { Outcome } from "./transport.ts";

/** A recipient that a next hop refused permanently, in its own words. */
export interface RefusedRecipient {
  readonly recipient: RecipientRecord;
  readonly outcome: Extract<Outcome, { kind: "permanent" }>;
}

/** Is notified of each; must not throw and must not block. */
export type RefusalSink = (refused: RefusedRecipient) => void;

/** Those among the outcomes of a job; none where another mailbox got the mail in their place. */
export function refusedIn(
  { redirect }: Job,
  { recipients, outcomes }: {
    readonly recipients: readonly RecipientRecord[];
    /** One for each recipient, in order. */
    readonly outcomes: readonly Outcome[];
  },
): RefusedRecipient[] {
  if (redirect !== null) return [];
  return recipients.flatMap((recipient, position) => {
    const outcome = outcomes[position];
    const isRefusal = outcome?.kind === "permanent" && outcome.fromPeer === true;
    return isRefusal ? [{ recipient, outcome }] : [];
  });
}
