import { formatSize } from "../../../../observe/quantities.ts";
import type { MessageDetail, RouteAnswer } from "../../../ports.ts";
import { Panel } from "../../parts/boxes.tsx";
import { Fact } from "../../parts/fact.tsx";
import { WayStateMark } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";

/** Who brought the message, and how. */
export function OriginPanel({ detail, nowMs }: { detail: MessageDetail; nowMs: number }) {
  const { origin, receivedAtMs } = detail.message;
  const isLocal = origin.clientAddress === "";
  return (
    <Panel id="origin" title="Received">
      <dl class="facts panel-body">
        <Fact name="Time">
          <Time atMs={receivedAtMs} nowMs={nowMs} form="full" />
        </Fact>
        <Fact name="Client">
          {isLocal
            ? "made by the relay itself"
            : <span class="mono">{origin.clientAddress} port {origin.clientPort}</span>}
        </Fact>
        {origin.helo !== "" && <Fact name="HELO name">{origin.helo}</Fact>}
        <Fact name="Listener">{origin.protocol} on listener {origin.listener}</Fact>
        {origin.user !== undefined && <Fact name="User">{origin.user}</Fact>}
        {!isLocal && (
          <Fact name="Encryption">
            {origin.tls ?? <span class="faint">none (plaintext)</span>}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

/** Which rule matched, and the ways it names. */
export function RoutePanel(
  { answer, recipient, usedRoute, chosen }: {
    answer: RouteAnswer;
    recipient: string;
    /** The rule that the last attempt went by; empty before the first. */
    usedRoute: string;
    /** The transport that an operator chose; null when the rule says it. */
    chosen: string | null;
  },
) {
  const { route, transports } = answer;
  return (
    <Panel
      id="route"
      title="Delivery"
      note={<a href={`/routes?to=${encodeURIComponent(recipient)}`}>Explain</a>}
    >
      <div class="panel-body stack tight">
        <dl class="facts">
          <Fact name="Route">
            {route === null
              ? "No route matches: deferred with 450 4.4.4"
              : <a href={`/routes#${encodeURIComponent(route)}`}>{route}</a>}
          </Fact>
          {usedRoute !== "" && usedRoute !== route && <Fact name="Last route">{usedRoute}</Fact>}
          <Fact name="For">{recipient}</Fact>
          {chosen !== null && (
            <Fact name="Rerouted">
              {transports.length > 0
                ? `always by ${chosen} instead of the route`
                : `by ${chosen}, which no longer exists: the route applies`}
            </Fact>
          )}
        </dl>
        <ol class="way-list">
          {transports.map(({ name, kind, destination, state, reason }, index) => (
            <li>
              <span class="way-number">{index + 1}</span>
              <span>
                <a href={`/transports#${encodeURIComponent(name)}`}>{name}</a>{" "}
                <span class="faint small">{kind}</span>
                <span class="soft small wrap block">{destination}</span>
                {state !== "up" && <span class="soft small wrap block">{reason}</span>}
              </span>
              <WayStateMark state={state} />
            </li>
          ))}
        </ol>
      </div>
    </Panel>
  );
}

/** What is known of the message itself. */
export function MessageFactsPanel({ detail, nowMs }: { detail: MessageDetail; nowMs: number }) {
  const { message } = detail;
  const { extras, facts, summary } = message;
  return (
    <Panel id="facts" title="Message">
      <dl class="facts panel-body">
        <Fact name="From">{summary.from || <span class="faint">no From field</span>}</Fact>
        <Fact name="Return path">
          {message.reversePath || <span class="faint">{"<> (a notification)"}</span>}
        </Fact>
        <Fact name="Size">{formatSize(facts.sizeBytes)}, {message.body}</Fact>
        <Fact name="Expires">
          <Time atMs={message.expiresAtMs} nowMs={nowMs} form="full" />
        </Fact>
        {summary.messageId !== "" && (
          <Fact name="Message-ID">
            <span class="mono">{summary.messageId}</span>
          </Fact>
        )}
        {extras?.envid !== undefined && <Fact name="Envelope id">{extras.envid}</Fact>}
        {extras?.ret !== undefined && <Fact name="Return">{extras.ret}</Fact>}
        {extras?.requireTls === true && <Fact name="Requires">TLS on every hop</Fact>}
        {extras?.priority !== undefined && <Fact name="Priority">{extras.priority}</Fact>}
        {extras?.deliverBy !== undefined && (
          <Fact name="Deliver by">
            <Time atMs={extras.deliverBy.deadlineMs} nowMs={nowMs} form="full" />
          </Fact>
        )}
        {extras?.holdUntilMs !== undefined && (
          <Fact name="Not before">
            <Time atMs={extras.holdUntilMs} nowMs={nowMs} form="full" />
          </Fact>
        )}
      </dl>
    </Panel>
  );
}
