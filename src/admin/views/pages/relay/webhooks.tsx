import { z } from "zod";
import { formatDuration } from "../../../../observe/quantities.ts";
import type { WebhookCall, WebhookStatus } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import { Fact } from "../../parts/fact.tsx";
import { checkForm } from "../../parts/form.tsx";
import { count } from "../../parts/quantity.ts";
import { StateMark } from "../../parts/state.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";

const PAGE_SIZE = 100;
const LIVE_MS = 5_000;
const HOUR_MS = 3_600_000;

const REPLAYS = [
  { value: String(HOUR_MS), text: "the last hour" },
  { value: String(24 * HOUR_MS), text: "the last day" },
  { value: String(7 * 24 * HOUR_MS), text: "the last week" },
  { value: "0", text: "all that is kept" },
];

const replaySchema = z.object({
  name: z.string().max(100),
  /** 0 for everything. */
  lastMs: z.coerce.number<string>().int().nonnegative(),
});

/** Where events are sent to, and what came of it. */
export async function webhooksPage(visit: Visit): Promise<Response> {
  const { webhooks } = visit.ports;
  if (webhooks === undefined) return await notFoundPage(visit);
  const cursor = visit.c.req.query("cursor");
  const webhook = visit.c.req.query("webhook");
  const [all, log] = await Promise.all([
    webhooks.list(),
    webhooks.log({
      limit: PAGE_SIZE,
      ...(cursor === undefined ? {} : { cursor }),
      ...(webhook === undefined ? {} : { webhook }),
    }),
  ]);
  return await visit.show({
    title: "Webhooks",
    place: "/webhooks",
    ...(cursor === undefined ? { liveMs: LIVE_MS } : {}),
    children: (
      <>
        <header class="page-head">
          <h1>Webhooks</h1>
        </header>
        {visit.c.req.query("did") === "replay" && (
          <Notice tone="good">Events from then on are sent again, in order.</Notice>
        )}
        {all.length === 0
          ? (
            <section class="panel">
              <Empty icon="webhooks" title="No webhook is configured">
                <p>
                  Add a webhook to the config file to receive events by HTTP.
                </p>
              </Empty>
            </section>
          )
          : (
            <div class="cards" id="webhooks" data-live-part="">
              {all.map((one) => <Card webhook={one} visit={visit} />)}
            </div>
          )}
        <Panel id="webhook-log" title="Requests" live={cursor === undefined}>
          {log.items.length === 0
            ? <Empty title="No requests yet" tight />
            : <LogTable items={log.items} nowMs={visit.nowMs} />}
          {log.cursor !== null && (
            <nav class="panel-foot pager" aria-label="Pages of the list">
              <a
                class="button"
                href={`/webhooks?${new URLSearchParams({
                  cursor: log.cursor,
                  ...(webhook === undefined ? {} : { webhook }),
                })}`}
                rel="next"
              >
                Older
              </a>
            </nav>
          )}
        </Panel>
      </>
    ),
  });
}

/** Sends events of a time to a webhook again. */
export async function replayWebhook(visit: Visit): Promise<Response> {
  const checked = checkForm(replaySchema, await visit.form());
  if (checked.kind === "wrong") return visit.goTo("/webhooks");
  const { name, lastMs } = checked.data;
  const fromMs = lastMs === 0 ? 0 : visit.nowMs - lastMs;
  const isKnown = await visit.ports.webhooks?.replay(name, { fromMs }) ?? false;
  return isKnown ? visit.goTo("/webhooks?did=replay") : await notFoundPage(visit);
}

function Card({ webhook, visit }: { webhook: WebhookStatus; visit: Visit }) {
  const { nowMs } = visit;
  const { name, url, events, waiting, lastError, lastSuccessAtMs } = webhook;
  const isFailing = lastError !== null &&
    (lastSuccessAtMs === null || lastError.atMs > lastSuccessAtMs);
  return (
    <section class="panel" aria-labelledby={`webhook-${name}`}>
      <header class="panel-head">
        <h2 id={`webhook-${name}`}>{name}</h2>
        <StateMark
          {...(isFailing
            ? { tone: "bad", word: "Failing", shape: "square" }
            : { tone: "good", word: "Good" })}
        />
      </header>
      <dl class="facts panel-body">
        <Fact name="Address">
          <span class="mono">{url}</span>
        </Fact>
        <Fact name="Events">{events.join(", ")}</Fact>
        <Fact name="Waiting">{count(waiting)}</Fact>
        <Fact name="Last success">
          {lastSuccessAtMs === null
            ? <span class="faint">none yet</span>
            : <Time atMs={lastSuccessAtMs} nowMs={nowMs} />}
        </Fact>
        {lastError !== null && (
          <Fact name="Last error">
            <span class="reply">{lastError.text}</span>{" "}
            <span class="faint small">
              <Time atMs={lastError.atMs} nowMs={nowMs} />
            </span>
          </Fact>
        )}
      </dl>
      {visit.may("operator") && (
        <form class="panel-foot finder-form" method="post" action="/webhooks/replay">
          <input type="hidden" name="name" value={name} />
          <select class="input" name="lastMs" aria-label={`Events to send to ${name} again`}>
            {REPLAYS.map(({ value, text }) => <option value={value}>Again: {text}</option>)}
          </select>
          <button type="submit" class="button small">
            Replay<span class="sr-only">{` ${name}`}</span>
          </button>
        </form>
      )}
    </section>
  );
}

function LogTable({ items, nowMs }: { items: readonly WebhookCall[]; nowMs: number }) {
  return (
    <table class="table ways">
      <thead>
        <tr>
          <th scope="col">Webhook</th>
          <th scope="col">Event</th>
          <th scope="col">Response</th>
          <th scope="col" class="number">Duration</th>
          <th scope="col" class="number">Time</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ id, webhook, event, status, error, durationMs, atMs }) => (
          <tr data-row id={`call-${id}`}>
            <td class="strong">
              <a href={`/webhooks?webhook=${encodeURIComponent(webhook)}`}>{webhook}</a>
            </td>
            <td>{event}</td>
            <td class="wrap">
              <span class="chip" data-tone={isFine(status) ? "good" : "bad"}>
                {status ?? "no answer"}
              </span>{" "}
              <span class="reply">{error}</span>
            </td>
            <td class="number nowrap">{formatDuration(durationMs)}</td>
            <td class="number nowrap">
              <Time atMs={atMs} nowMs={nowMs} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function isFine(status: number | null): boolean {
  return status !== null && status >= 200 && status < 300;
}
