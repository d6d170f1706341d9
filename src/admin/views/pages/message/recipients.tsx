import type { MessageDetail } from "../../../ports.ts";
import { Panel } from "../../parts/boxes.tsx";
import { counted } from "../../parts/quantity.ts";
import { RecipientStateMark } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";

const SHOWN = 50;

/** Everybody the message is for. */
export function RecipientsPanel(
  { detail, nowMs, showAll }: { detail: MessageDetail; nowMs: number; showAll: boolean },
) {
  const { recipients, message } = detail;
  const shown = showAll ? recipients : recipients.slice(0, SHOWN);
  const more = recipients.length - shown.length;
  return (
    <Panel
      id="recipients"
      title={recipients.length === 1 ? "Recipient" : "Recipients"}
      note={recipients.length > 1 ? counted(recipients.length, "recipient") : undefined}
      live
    >
      <div class="scroll-x">
        <table class="table people">
          <thead>
            <tr>
              <th scope="col">Mailbox</th>
              <th scope="col">State</th>
              <th scope="col" class="number">Attempts</th>
              <th scope="col">Next</th>
              <th scope="col">Last reply</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((recipient) => (
              <tr>
                <td class="wrap strong">{recipient.forwardPath}</td>
                <td>
                  <RecipientStateMark state={recipient.state} />
                </td>
                <td class="number" data-label="attempts">{recipient.attempts}</td>
                <td class="nowrap" data-label="next">
                  <Next recipient={recipient} nowMs={nowMs} />
                  <Way recipient={recipient} />
                </td>
                <td class="full">
                  <span class="reply">{recipient.lastReply}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more > 0 && (
        <div class="panel-foot">
          <a href={`/messages/${message.id}?recipients=all`}>
            Show {counted(more, "more recipient")}
          </a>
        </div>
      )}
    </Panel>
  );
}

/** The transport of the last attempt, or the one that somebody chose. */
function Way({ recipient }: { recipient: MessageDetail["recipients"][number] }) {
  const { transport, rerouted } = recipient;
  if (transport === undefined) return null;
  return (
    <div class="soft small">
      {rerouted === true ? "always by " : "by "}
      <a href={`/transports#${encodeURIComponent(transport)}`}>{transport}</a>
    </div>
  );
}

function Next(
  { recipient, nowMs }: { recipient: MessageDetail["recipients"][number]; nowMs: number },
) {
  const { state, claimedBy, nextAttemptAtMs } = recipient;
  if (state !== "queued") return <span class="faint">–</span>;
  if (claimedBy !== null) return <>under way</>;
  return nextAttemptAtMs <= nowMs ? <>due</> : <Time atMs={nextAttemptAtMs} nowMs={nowMs} />;
}
