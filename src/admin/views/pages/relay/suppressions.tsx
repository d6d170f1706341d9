import { z } from "zod";
import { lineText, mailbox } from "../../../api/schemas/fields.ts";
import type { Suppression } from "../../../ports.ts";
import { Empty, Notice, Panel } from "../../parts/boxes.tsx";
import {
  ActionButton,
  blankForm,
  checkForm,
  type FormState,
  SelectField,
  TextField,
} from "../../parts/form.tsx";
import { Time } from "../../parts/time.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";

const PAGE_SIZE = 100;
const DAY_MS = 86_400_000;

const TIMES = [
  { value: "", text: "for ever" },
  { value: String(7 * DAY_MS), text: "for a week" },
  { value: String(30 * DAY_MS), text: "for 30 days" },
  { value: String(365 * DAY_MS), text: "for a year" },
];

const addSchema = z.object({
  address: mailbox(),
  reason: lineText({ max: 200 }).default(""),
  forMs: z.coerce.number<string>().int().positive().max(10 * 365 * DAY_MS).optional(),
});

const DONE: Readonly<Record<string, string>> = {
  added: "Added. Mail for the address now fails at once.",
  removed: "Removed. Mail for the address is sent again.",
};

/** Recipients that get no mail. */
export async function suppressionsPage(
  visit: Visit,
  { form = blankForm() }: { form?: FormState } = {},
): Promise<Response> {
  const { suppressions } = visit.ports;
  if (suppressions === undefined) return await notFoundPage(visit);
  const { c } = visit;
  const text = (c.req.query("text") ?? "").trim();
  const cursor = c.req.query("cursor");
  const { items, cursor: next } = await suppressions.list({
    limit: PAGE_SIZE,
    ...(text === "" ? {} : { text }),
    ...(cursor === undefined ? {} : { cursor }),
  });
  const done = DONE[c.req.query("did") ?? ""];
  return await visit.show({
    title: "Suppressions",
    place: "/suppressions",
    status: Object.keys(form.errors).length > 0 ? 400 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Suppressions</h1>
          <p class="page-lead">
            Mail for these addresses fails at once. Unproven entries are only listed.
          </p>
        </header>
        {done !== undefined && <Notice tone="good">{done}</Notice>}
        <div class="columns">
          <div class="wide stack">
            <Find text={text} />
            <section class="panel" aria-label="Suppressed addresses">
              {items.length === 0 ? <Nobody text={text} /> : <Table items={items} visit={visit} />}
              {next !== null && (
                <nav class="panel-foot pager" aria-label="Pages of the list">
                  <a
                    class="button"
                    href={`/suppressions?${new URLSearchParams({ text, cursor: next })}`}
                    rel="next"
                  >
                    More
                  </a>
                </nav>
              )}
            </section>
          </div>
          {visit.may("operator") && (
            <div class="narrow">
              <Add form={form} />
            </div>
          )}
        </div>
      </>
    ),
  });
}

/** Suppresses an address. */
export async function addSuppression(visit: Visit): Promise<Response> {
  const checked = checkForm(addSchema, await visit.form());
  if (checked.kind === "wrong") return await suppressionsPage(visit, { form: checked.form });
  const { address, reason, forMs } = checked.data;
  const expiresAtMs = forMs === undefined ? null : visit.nowMs + forMs;
  await visit.ports.suppressions?.add({ address, reason, expiresAtMs, by: visit.actor });
  return visit.goTo("/suppressions?did=added");
}

/** Sends an address mail again. */
export async function removeSuppression(visit: Visit): Promise<Response> {
  const { address = "" } = await visit.form();
  await visit.ports.suppressions?.remove(address, { by: visit.actor });
  return visit.goTo("/suppressions?did=removed");
}

function Find({ text }: { text: string }) {
  return (
    <form class="finder-form" method="get" action="/suppressions" role="search">
      <input
        class="input"
        type="search"
        name="text"
        value={text}
        placeholder="Find an address"
        aria-label="Part of the address"
        data-search
      />
      <button type="submit" class="button">Find</button>
    </form>
  );
}

function Nobody({ text }: { text: string }) {
  if (text !== "") {
    return (
      <Empty icon="search" title="No address matches">
        <div class="button-row">
          <a class="button" href="/suppressions">Show all</a>
        </div>
      </Empty>
    );
  }
  return (
    <Empty icon="suppressions" title="No address is suppressed">
      <p>Hard bounces and complaints add addresses automatically. You can also add them here.</p>
    </Empty>
  );
}

function Table({ items, visit }: { items: readonly Suppression[]; visit: Visit }) {
  return (
    <table class="table ways">
      <thead>
        <tr>
          <th scope="col">Address</th>
          <th scope="col">Reason</th>
          <th scope="col">Added</th>
          <th scope="col">Until</th>
          <th scope="col">
            <span class="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ address, reason, source, addedAtMs, expiresAtMs, unproven }) => (
          <tr data-row>
            <td class="strong wrap">{address}</td>
            <td class="wrap">
              {reason} <span class="faint small">{source}</span>
              {unproven === true && (
                <div class="faint small">
                  unproven: the report may be forged; mail is still sent
                </div>
              )}
            </td>
            <td class="nowrap" data-label="added">
              <Time atMs={addedAtMs} nowMs={visit.nowMs} />
            </td>
            <td class="nowrap" data-label="until">
              {expiresAtMs === null
                ? <span class="faint">for ever</span>
                : <Time atMs={expiresAtMs} nowMs={visit.nowMs} />}
            </td>
            <td class="row-actions">
              {visit.may("operator") && (
                <ActionButton
                  action="/suppressions/remove"
                  values={{ address }}
                  label={
                    <>
                      Remove<span class="sr-only">{` ${address}`}</span>
                    </>
                  }
                />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Add({ form }: { form: FormState }) {
  return (
    <Panel id="add-suppression" title="Suppress an address">
      <form class="panel-body stack tight" method="post" action="/suppressions/add">
        <TextField form={form} name="address" label="Address" required />
        <TextField form={form} name="reason" label="Reason" />
        <SelectField form={form} name="forMs" label="Duration" options={TIMES} />
        <button type="submit" class="button primary">Suppress</button>
      </form>
    </Panel>
  );
}
