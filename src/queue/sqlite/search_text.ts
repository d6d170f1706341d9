import type { MessageRecord, NewRecipient } from "../store.ts";

/** Recipients that stand in the text; those of longer lists are looked up. */
export const TEXT_RECIPIENTS = 100;

/**
 * What people find a message by, a line each: reverse-path, subject, author, recipients. The store
 * keeps it in lower case.
 */
export function searchText(
  { reversePath, summary: { subject, from } }: Pick<MessageRecord, "reversePath" | "summary">,
  recipients: readonly Pick<NewRecipient, "forwardPath">[],
): string {
  const paths = recipients.slice(0, TEXT_RECIPIENTS).map(({ forwardPath }) => forwardPath);
  return [reversePath, subject, from, ...paths].join("\n");
}
