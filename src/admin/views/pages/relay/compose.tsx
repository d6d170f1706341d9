import { z } from "zod";
import { lineText, mailbox } from "../../../api/schemas/fields.ts";
import { composeMessage } from "../../../content/compose.ts";
import { addressOf } from "../../../env.ts";
import { Notice } from "../../parts/boxes.tsx";
import { blankForm, checkForm, type FormState, TextArea, TextField } from "../../parts/form.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";

const MAX_RECIPIENTS = 100;
const MAX_TEXT = 200_000;

const letterSchema = z.object({
  from: mailbox().optional(),
  to: z.string().transform((text) => text.split(/[\s,;]+/).filter(Boolean))
    .pipe(z.array(mailbox()).min(1).max(MAX_RECIPIENTS)),
  subject: lineText({ max: 500 }).default(""),
  text: z.string().max(MAX_TEXT).default(""),
});

/** A form for a message of the operator's own. */
export async function composePage(
  visit: Visit,
  { form = testLetter(visit), refusal = "" }: { form?: FormState; refusal?: string } = {},
): Promise<Response> {
  if (visit.ports.submission === undefined) return await notFoundPage(visit);
  const isWrong = refusal !== "" || Object.keys(form.errors).length > 0;
  return await visit.show({
    title: "Compose",
    place: "/compose",
    status: isWrong ? 422 : 200,
    children: (
      <>
        <header class="page-head">
          <h1>Compose</h1>
          <p class="page-lead">
            The message is queued and sent by the route of its recipient. Its page shows the result.
          </p>
        </header>
        {refusal !== "" && <Notice tone="bad">The relay refused it: {refusal}</Notice>}
        <form class="panel letter-form" method="post" action="/compose">
          <div class="panel-body form">
            <TextField
              form={form}
              name="to"
              label="To"
              placeholder="user@example.net"
              hint="Separate several with commas."
              required
              autofocus
            />
            <TextField
              form={form}
              name="from"
              label="From"
              hint="Leave empty for the null reverse-path, as in notifications."
            />
            <TextField form={form} name="subject" label="Subject" isFull />
            <TextArea form={form} name="text" label="Text" isFull />
            <div class="button-row full">
              <button type="submit" class="button primary">Send</button>
            </div>
          </div>
        </form>
      </>
    ),
  });
}

function testLetter(visit: Visit): FormState {
  const { hostname } = visit.ports.info.read();
  return blankForm({
    to: visit.c.req.query("to") ?? "",
    from: `postmaster@${hostname}`,
    subject: `Test message from ${hostname}`,
    text: `This is a test message.\n\nIt was sent by ${visit.caller.name} through ${hostname}.\n`,
  });
}

/** Puts it into the queue and shows it there. */
export async function sendLetter(visit: Visit): Promise<Response> {
  const { submission, info } = visit.ports;
  if (submission === undefined) return await notFoundPage(visit);
  const values = await visit.form();
  const checked = checkForm(letterSchema, values);
  if (checked.kind === "wrong") return await composePage(visit, { form: checked.form });
  const { from = "", to, subject, text } = checked.data;
  const { hostname } = info.read();
  const message = composeMessage({
    ...{ from, to, subject, text, hostname },
    nowMs: visit.nowMs,
    unique: visit.unique(),
  });
  const clientAddress = addressOf(visit.c.env?.peer);
  const result = await submission.submit({ from, to, message, by: visit.actor, clientAddress });
  if (result.kind === "refused") {
    return await composePage(visit, { form: blankForm(values), refusal: result.reason });
  }
  return visit.goTo(`/messages/${encodeURIComponent(result.id)}`);
}
