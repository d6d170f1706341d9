import { isQueueId } from "../../../../base/ids.ts";
import type { MessageDetail, RecipientState, RouteAnswer } from "../../../ports.ts";
import { Empty, Notice } from "../../parts/boxes.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { LiveMark } from "../../parts/live_mark.tsx";
import { counted } from "../../parts/quantity.ts";
import type { Tone } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { actionsIn, queueActionOf } from "../queue/actions.ts";
import { senderName } from "../queue/list.tsx";
import { attemptOf } from "./attempt.ts";
import { CONTENT_VIEWS, ContentPanel, type ContentView } from "./content.tsx";
import { countStates, explain, type Explanation } from "./explain.ts";
import { MessageFactsPanel, OriginPanel, RoutePanel } from "./facts.tsx";
import { RecipientsPanel } from "./recipients.tsx";
import { TimelinePanel } from "./timeline.tsx";

const LIVE_MS = 2_000;

/** One message, explained. */
export async function messagePage(visit: Visit): Promise<Response> {
  const { c, ports, nowMs } = visit;
  const id = (c.req.param("id") ?? "").toUpperCase();
  const detail = isQueueId(id) ? await ports.queue.get(id) : null;
  if (detail === null) return await showUnknown(visit, id);
  const { message } = detail;
  const explanation = explain({ detail, nowMs, destinations: ports.destinations.list() });
  return await visit.show({
    title: message.summary.subject || "(no subject)",
    place: "/queue",
    liveMs: LIVE_MS,
    children: (
      <>
        <Heading detail={detail} visit={visit} />
        <Done did={c.req.query("did")} n={c.req.query("n")} />
        <ExplanationBox explanation={explanation} nowMs={nowMs} />
        <div class="columns">
          <div class="wide stack">
            <TimelinePanel detail={detail} nowMs={nowMs} />
            <RecipientsPanel
              detail={detail}
              nowMs={nowMs}
              showAll={c.req.query("recipients") === "all"}
            />
            {await ContentPanel({
              visit,
              id,
              view: viewOf(c.req.query("show")),
              hasBody: detail.hasBody,
            })}
          </div>
          <div class="narrow stack">
            <OriginPanel detail={detail} nowMs={nowMs} />
            <Route detail={detail} visit={visit} />
            <MessageFactsPanel detail={detail} nowMs={nowMs} />
          </div>
        </div>
      </>
    ),
  });
}

function viewOf(text: string | undefined): ContentView {
  return text !== undefined && Object.hasOwn(CONTENT_VIEWS, text) ? text as ContentView : "text";
}

function Heading({ detail, visit }: { detail: MessageDetail; visit: Visit }) {
  const { message, recipients } = detail;
  const to = recipients.length === 1
    ? recipients[0]?.forwardPath ?? ""
    : counted(recipients.length, "recipient");
  return (
    <header class="page-head message-head">
      <div class="message-title">
        <a class="small" href="/queue">Queue</a>
        <h1 class="wrap">{message.summary.subject || "(no subject)"}</h1>
        <p class="soft wrap">
          {senderName(message.reversePath)} <span class="faint">→</span> {to}
        </p>
        <p class="message-id">
          <span class="mono">{message.id}</span>
          <button type="button" class="button quiet small" data-copy={message.id}>
            <Icon name="copy" size={13} />
            <span data-copy-said>Copy</span>
          </button>
          <LiveMark />
        </p>
      </div>
      {visit.may("operator") && <Actions detail={detail} />}
    </header>
  );
}

/** What can be done with it now; what cannot be undone asks first. */
function Actions({ detail }: { detail: MessageDetail }) {
  const states = Object.keys(countStates(detail)) as RecipientState[];
  const { id } = detail.message;
  const address = `/messages/${id}`;
  // Octets are kept only of messages that failed, and of those that wait.
  const possible = actionsIn(states).filter(([name]) => name !== "send-again" || detail.hasBody);
  return (
    <div class="page-actions" id="actions" data-live-part="">
      {possible.map(([name, { label, isDangerous, asks }]) => {
        if (name === "send-again") {
          return <a class="button" href={`${address}/send-again`}>{label}…</a>;
        }
        if (isDangerous || asks !== undefined) {
          const from = name === "delete" ? "/queue?view=all" : address;
          const query = new URLSearchParams({ action: name, ids: id, view: "all", from });
          const look = isDangerous ? "button danger" : "button";
          return <a class={look} href={`/queue/confirm?${query}`}>{label}…</a>;
        }
        return (
          <form method="post" action="/queue/apply">
            <input type="hidden" name="action" value={name} />
            <input type="hidden" name="ids" value={id} />
            <input type="hidden" name="view" value="all" />
            <input type="hidden" name="from" value={address} />
            <button type="submit" class="button" data-key={name === "retry" ? "r" : undefined}>
              {label}
            </button>
          </form>
        );
      })}
    </div>
  );
}

/** What was just done. */
function Done({ did, n }: { did: string | undefined; n: string | undefined }) {
  const found = queueActionOf(did);
  if (found === null) return null;
  return n === "0"
    ? <Notice tone="idle">Nothing changed: the recipients are no longer in that state.</Notice>
    : <Notice tone="good">{found.action.done("The message")}</Notice>;
}

const TONE_ICONS: Readonly<Record<Tone, IconName>> = {
  good: "check",
  bad: "warning",
  warn: "clock",
  wait: "arrow",
  hold: "pause",
  idle: "cross",
};

function ExplanationBox({ explanation, nowMs }: { explanation: Explanation; nowMs: number }) {
  const { tone, title, sentences } = explanation;
  return (
    <section class="explanation" id="explanation" data-tone={tone} data-live-part="">
      <span class="explanation-mark">
        <Icon name={TONE_ICONS[tone]} size={20} />
      </span>
      <div>
        <h2>{title}</h2>
        {sentences.map((sentence) => (
          <p>
            {sentence.map((part) =>
              typeof part === "number" ? <Time atMs={part} nowMs={nowMs} /> : part
            )}
          </p>
        ))}
      </div>
    </section>
  );
}

/** The way of the first recipient that is not done, or of the first. */
function Route({ detail, visit }: { detail: MessageDetail; visit: Visit }) {
  const { message, recipients, timeline } = detail;
  const one = recipients.find(({ state }) => state === "queued" || state === "held") ??
    recipients[0];
  if (one === undefined) return null;
  const { user, listener } = message.origin;
  const answer = visit.ports.routes.explain({
    to: one.forwardPath,
    from: message.reversePath,
    listener,
    ...(user === undefined ? {} : { user }),
  });
  const chosen = one.rerouted === true ? one.transport ?? null : null;
  const last = timeline.findLast(({ kind }) => kind === "attempt");
  const usedRoute = last === undefined ? "" : attemptOf(last)?.route ?? "";
  return (
    <RoutePanel
      answer={chosen === null
        ? answer
        : { ...answer, transports: chosenWay(chosen, { visit, one }) }}
      recipient={one.forwardPath}
      {...{ usedRoute, chosen }}
    />
  );
}

/** The way that an operator chose, as the routes would tell it. */
function chosenWay(
  chosen: string,
  { visit, one: { domain } }: { visit: Visit; one: MessageDetail["recipients"][number] },
): RouteAnswer["transports"] {
  return visit.ports.transports.list().filter(({ name }) => name === chosen)
    .map(({ name, kind, state, lastError }) => ({
      ...{ name, kind, state, destination: domain },
      reason: lastError?.text ?? "",
    }));
}

async function showUnknown(visit: Visit, id: string): Promise<Response> {
  return await visit.show({
    title: "Unknown message",
    place: "/queue",
    status: 404,
    children: (
      <section class="panel">
        <Empty icon="search" title="Message not found">
          <p>
            {isQueueId(id)
              ? "Messages are deleted some days after their last recipient is done."
              : "A queue id has 16 letters and digits."}
          </p>
          <div class="button-row">
            <a class="button" href="/queue?view=all">All messages</a>
          </div>
        </Empty>
      </section>
    ),
  });
}
