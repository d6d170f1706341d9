import { z } from "zod";
import { mailbox } from "../../../api/schemas/fields.ts";
import { Notice } from "../../parts/boxes.tsx";
import { blankForm, checkForm, type FormState, TextField } from "../../parts/form.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";

const schema = z.object({ name: z.string(), to: mailbox(), from: mailbox().optional() });

/** Asks whom a test message goes to. */
export async function testPage(
  visit: Visit,
  { form = blankForm({ name: visit.c.req.query("name") ?? "" }), refusal = "" }: {
    form?: FormState;
    refusal?: string;
  } = {},
): Promise<Response> {
  const { transports, info } = visit.ports;
  const found = transports.list().find(({ name }) => name === form.values["name"]);
  if (found === undefined) return await notFoundPage(visit);
  const isWrong = refusal !== "" || Object.keys(form.errors).length > 0;
  return await visit.show({
    title: `Test ${found.name}`,
    place: "/transports",
    status: isWrong ? 422 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Test {found.name}</h1>
          <p class="page-lead">
            Sends a short message by this transport, regardless of the routes. Its page shows the
            result. It expires after an hour; no notification is sent.
          </p>
        </header>
        {refusal !== "" && <Notice tone="bad">Cannot send it: {refusal}.</Notice>}
        {found.pause !== null && (
          <Notice tone="warn">
            The transport is paused: the message waits until it is resumed.
          </Notice>
        )}
        <form class="panel letter-form" method="post" action="/transports/test">
          <input type="hidden" name="name" value={found.name} />
          <div class="panel-body form">
            <TextField
              form={form}
              name="to"
              label="To"
              placeholder="you@example.net"
              hint="An address whose mailbox you can read."
              required
              autofocus
            />
            <TextField
              form={form}
              name="from"
              label="From"
              placeholder={`postmaster@${info.read().hostname}`}
            />
            <div class="button-row full">
              <button type="submit" class="button primary">Send a test message</button>
              <a class="button" href="/transports">Back</a>
            </div>
          </div>
        </form>
      </>
    ),
  });
}

/** Sends it and shows what becomes of it. */
export async function sendTest(visit: Visit): Promise<Response> {
  const { transports } = visit.ports;
  const values = await visit.form();
  const checked = checkForm(schema, values);
  if (checked.kind === "wrong") return await testPage(visit, { form: checked.form });
  const { name, to, from } = checked.data;
  if (!transports.list().some((one) => one.name === name)) return await notFoundPage(visit);
  const request = { to, by: visit.actor, ...(from === undefined ? {} : { from }) };
  const result = await transports.test(name, request);
  if (result.kind === "queued") return visit.goTo(`/messages/${encodeURIComponent(result.id)}`);
  return await testPage(visit, { form: blankForm(values), refusal: result.reason });
}
