import type { MessageRecord, NewMessage } from "../queue/store.ts";
import type { Conclusion } from "./conclude.ts";
import type { DeliveryReport, MessageBody } from "./transport.ts";

/**
 * Makes the notifications that a settlement owes the sender (RFC 3461 section 5, RFC 3464); none
 * in the ordinary case, and then without a promise. They are queued in the same transaction as
 * the settlement.
 */
export type NotificationMaker = (
  facts: {
    readonly message: MessageRecord;
    readonly conclusions: readonly Conclusion[];
    /** Null when no attempt was made. */
    readonly report: DeliveryReport | null;
    readonly body: MessageBody;
    readonly nowMs: number;
  },
) => readonly NewMessage[] | Promise<readonly NewMessage[]>;
