import { formatSize } from "../../../../observe/quantities.ts";
import type { MessageListItem } from "../../../ports.ts";
import { counted } from "../../parts/quantity.ts";
import { leadingState, RecipientStateMark } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";

/** Messages, one a row. */
export function MessageTable(
  { items, nowMs, canPick }: {
    items: readonly MessageListItem[];
    nowMs: number;
    canPick: boolean;
  },
) {
  return (
    <table class="table mail-table">
      <thead>
        <tr>
          {canPick && (
            <th scope="col" class="pick">
              <input
                type="checkbox"
                class="check"
                aria-label="Select all on this page"
                data-pick-all
                data-keep=""
              />
            </th>
          )}
          <th scope="col">State</th>
          <th scope="col">Message</th>
          <th scope="col">Last reply</th>
          <th scope="col" class="number">Attempts</th>
          <th scope="col" class="number">Size</th>
          <th scope="col" class="number">Received</th>
        </tr>
      </thead>
      <tbody>{items.map((item) => <Row item={item} nowMs={nowMs} canPick={canPick} />)}</tbody>
    </table>
  );
}

function Row(
  { item, nowMs, canPick }: { item: MessageListItem; nowMs: number; canPick: boolean },
) {
  const { message, attempts, lastReply } = item;
  const subject = message.summary.subject || "(no subject)";
  return (
    <tr data-row id={`row-${message.id}`}>
      {canPick && (
        <td class="pick">
          <input
            type="checkbox"
            class="check"
            name="ids"
            value={message.id}
            aria-label={`Select ${subject}`}
            data-pick
          />
        </td>
      )}
      <td class="mail-state">
        <StateCell item={item} nowMs={nowMs} />
      </td>
      <td class="mail-what">
        <a class="mail-subject cut" href={`/messages/${message.id}`} data-row-link title={subject}>
          {subject}
        </a>
        <span class="mail-people cut">
          {senderName(message.reversePath)} <span class="faint">→</span> <Recipients item={item} />
        </span>
      </td>
      <td class="mail-reply">
        <span class="reply clamp" title={lastReply}>{lastReply}</span>
      </td>
      <td class="number mail-tries">{attempts === 0 ? <span class="faint">–</span> : attempts}</td>
      <td class="number mail-size nowrap">{formatSize(message.facts.sizeBytes)}</td>
      <td class="number mail-time nowrap">
        <Time atMs={message.receivedAtMs} nowMs={nowMs} />
      </td>
    </tr>
  );
}

function StateCell({ item, nowMs }: { item: MessageListItem; nowMs: number }) {
  const { states, recipientCount, nextAttemptAtMs } = item;
  const state = leadingState(states);
  const inState = states[state] ?? 0;
  return (
    <>
      <RecipientStateMark state={state} />
      <span class="mail-next">
        {inState < recipientCount &&
          `${inState} of ${recipientCount}${
            state === "queued" && nextAttemptAtMs !== null ? ", " : ""
          }`}
        {state === "queued" && nextAttemptAtMs !== null &&
          (nextAttemptAtMs <= nowMs ? "under way" : <Time atMs={nextAttemptAtMs} nowMs={nowMs} />)}
      </span>
    </>
  );
}

/** The reverse-path as people know it. */
export function senderName(reversePath: string): string {
  return reversePath === "" ? "<> (notification)" : reversePath;
}

function Recipients({ item }: { item: MessageListItem }) {
  const { firstRecipients, recipientCount } = item;
  const [first = ""] = firstRecipients;
  const more = recipientCount - 1;
  return (
    <span title={more > 0 ? counted(recipientCount, "recipient") : undefined}>
      {first}
      {more > 0 && <span class="faint">{` +${more}`}</span>}
    </span>
  );
}
