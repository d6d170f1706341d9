import { z } from "zod";
import { domainName, lineText } from "../../../api/schemas/fields.ts";
import type { PauseRequest } from "../../../ports.ts";
import { blankForm, checkForm, type FormState, SelectField, TextField } from "../../parts/form.tsx";
import type { Visit } from "../../visit.tsx";

const HOUR_MS = 3_600_000;

const DURATIONS = [
  { value: String(HOUR_MS / 2), text: "for half an hour" },
  { value: String(HOUR_MS), text: "for an hour" },
  { value: String(4 * HOUR_MS), text: "for four hours" },
  { value: String(24 * HOUR_MS), text: "for a day" },
  { value: "", text: "until somebody resumes it" },
];

const fields = {
  reason: lineText({ max: 200 }).min(1),
  forMs: z.coerce.number<string>().int().min(1000).max(366 * 24 * HOUR_MS).optional(),
};

/** What can be paused. */
export const PAUSABLE = {
  destinations: {
    schema: z.object({ ...fields, name: domainName() }),
    title: "Pause a domain",
    label: "Domain",
    lead: "Mail for the domain waits in the queue, for every transport. It is accepted, and it " +
      "still expires.",
  },
  transports: {
    schema: z.object({ ...fields, name: lineText({ max: 100 }).min(1) }),
    title: "Pause a transport",
    label: "Transport",
    lead: "Mail takes the next transport of its route; without one, it waits.",
  },
} as const;
export type PausableKind = keyof typeof PAUSABLE;

/** Asks why and for how long. */
export async function pausePage(
  visit: Visit,
  { kind, form = blankForm({ name: visit.c.req.query("name") ?? "", forMs: String(HOUR_MS) }) }: {
    kind: PausableKind;
    form?: FormState;
  },
): Promise<Response> {
  const { title, label, lead } = PAUSABLE[kind];
  return await visit.show({
    title,
    place: `/${kind}`,
    status: Object.keys(form.errors).length > 0 ? 400 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>{title}</h1>
          <p class="page-lead">{lead}</p>
        </header>
        <form class="panel letter-form" method="post" action={`/${kind}/pause`}>
          <div class="panel-body form">
            <TextField form={form} name="name" label={label} required autofocus />
            <SelectField form={form} name="forMs" label="Duration" options={DURATIONS} />
            <TextField
              form={form}
              name="reason"
              label="Reason"
              hint="Shown to other operators."
              required
              isFull
            />
            <div class="button-row full">
              <button type="submit" class="button primary">Pause</button>
              <a class="button" href={`/${kind}`}>Back</a>
            </div>
          </div>
        </form>
      </>
    ),
  });
}

/** Reads the form; what is wrong with it is shown in it again. */
export async function readPause(
  visit: Visit,
  kind: PausableKind,
): Promise<
  | { readonly kind: "ok"; readonly name: string; readonly request: PauseRequest }
  | { readonly kind: "wrong"; readonly page: Promise<Response> }
> {
  const checked = checkForm(PAUSABLE[kind].schema, await visit.form());
  if (checked.kind === "wrong") {
    return { kind: "wrong", page: pausePage(visit, { kind, form: checked.form }) };
  }
  const { name, reason, forMs } = checked.data;
  const untilMs = forMs === undefined ? null : visit.nowMs + forMs;
  return { kind: "ok", name, request: { reason, by: visit.actor, untilMs } };
}
