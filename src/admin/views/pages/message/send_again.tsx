import { z } from "zod";
import { concatBytes, encodeText } from "../../../../base/bytes.ts";
import { isQueueId } from "../../../../base/ids.ts";
import { lineText, mailbox } from "../../../api/schemas/fields.ts";
import type { MessageDetail } from "../../../ports.ts";
import { Notice } from "../../parts/boxes.tsx";
import {
  blankForm,
  checkForm,
  type FormState,
  SelectField,
  TextArea,
  TextField,
} from "../../parts/form.tsx";
import type { Visit } from "../../visit.tsx";
import { notFoundPage } from "../failure.tsx";
import { TransportField } from "../queue/ask.tsx";
import { BY_ROUTES } from "../queue/perform.ts";
import { NULL_SENDER } from "../queue/query.ts";

/** Larger messages are sent again as they are. */
const EDIT_LIMIT_BYTES = 256 * 1024;
const MAX_RECIPIENTS = 1_000;

const schema = z.object({
  recipients: z.string().transform((text) => text.split(/[\s,;]+/).filter(Boolean))
    .pipe(z.array(mailbox()).min(1).max(MAX_RECIPIENTS)),
  reverse_path: z.union([z.literal(NULL_SENDER), mailbox()]),
  route: lineText({ max: 100 }).optional(),
  to_transport: lineText({ max: 100 }).default(BY_ROUTES),
  message: z.string().optional(),
});

/** Asks to whom and how a message goes once more, and lets it be edited. */
export async function sendAgainPage(
  visit: Visit,
  { form, refusal = "" }: { form?: FormState; refusal?: string } = {},
): Promise<Response> {
  const found = await messageOf(visit);
  if (found === null || !found.detail.hasBody) return await notFoundPage(visit);
  const { detail, text } = found;
  const shown = form ?? blankForm({ ...startOf(detail), message: text ?? "" });
  const isWrong = refusal !== "" || Object.keys(shown.errors).length > 0;
  const address = `/messages/${detail.message.id}`;
  return await visit.show({
    title: "Send again",
    place: "/queue",
    status: isWrong ? 422 : 200,
    children: (
      <>
        <header class="page-head">
          <h1 class="wrap">Send again: {detail.message.summary.subject || "(no subject)"}</h1>
          <p class="page-lead">
            It is queued as a new message. The timelines of both messages refer to each other.
          </p>
        </header>
        {refusal !== "" && <Notice tone="bad">Cannot send it again: {refusal}.</Notice>}
        <form class="panel letter-form" method="post" action={`${address}/send-again`}>
          <div class="panel-body form">
            <WayFields visit={visit} form={shown} />
            {text === null
              ? (
                <p class="field-hint full">
                  The message is too large, or is not text, and cannot be edited here; it is sent
                  unchanged.
                </p>
              )
              : (
                <TextArea
                  form={shown}
                  name="message"
                  label="Message"
                  hint="Header fields, an empty line, then the text. Signatures are replaced."
                  rows={18}
                  isCode
                  isFull
                />
              )}
            <div class="button-row full">
              <button type="submit" class="button primary">Send again</button>
              <a class="button" href={address}>Back</a>
            </div>
          </div>
        </form>
      </>
    ),
  });
}

/** Puts it into the queue and shows the new message. */
export async function sendAgainFromForm(visit: Visit): Promise<Response> {
  const found = await messageOf(visit);
  if (found === null) return await notFoundPage(visit);
  const values = await visit.form();
  const checked = checkForm(schema, values);
  if (checked.kind === "wrong") return await sendAgainPage(visit, { form: checked.form });
  const { recipients, reverse_path: from, route, to_transport: transport, message } = checked.data;
  const edited = message === undefined ? null : withLineEnds(message);
  const isEdited = edited !== null && found.text !== null && edited !== withLineEnds(found.text);
  const result = await visit.ports.queue.sendAgain({
    ...{ id: found.detail.message.id, by: visit.actor, recipients },
    reversePath: from === NULL_SENDER ? "" : from,
    ...(route === undefined ? {} : { route }),
    ...(transport === BY_ROUTES ? {} : { transport }),
    ...(isEdited ? { message: encodeText(edited) } : {}),
  });
  if (result.kind === "queued") return visit.goTo(`/messages/${encodeURIComponent(result.id)}`);
  return await sendAgainPage(visit, { form: blankForm(values), refusal: result.reason });
}

function WayFields({ visit, form }: { visit: Visit; form: FormState }) {
  const routes = visit.ports.routes.list().map(({ name }) => ({ value: name, text: name }));
  return (
    <>
      <TextArea
        form={form}
        name="recipients"
        label="To"
        hint="Default: the recipients not reached."
        rows={2}
        isFull
      />
      <TextField
        form={form}
        name="reverse_path"
        label="From (reverse-path)"
        hint={`${NULL_SENDER} for the null reverse-path.`}
        required
      />
      <SelectField
        form={form}
        name="route"
        label="Route"
        options={[{ value: "", text: "the first that fits" }, ...routes]}
      />
      <TransportField
        visit={visit}
        value={form.values["to_transport"] ?? ""}
        isRerouting={false}
      />
    </>
  );
}

function startOf({ message, recipients }: MessageDetail): Record<string, string> {
  const missed = recipients.filter(({ state }) =>
    state === "failed" || state === "expired" || state === "cancelled"
  );
  const to = missed.length > 0 ? missed : recipients;
  return {
    recipients: to.map(({ forwardPath }) => forwardPath).join("\n"),
    reverse_path: message.reversePath || NULL_SENDER,
    route: message.route ?? "",
  };
}

/** The message that the address names, with its octets as text where they can be edited. */
async function messageOf(
  { c, ports: { queue } }: Visit,
): Promise<{ detail: MessageDetail; text: string | null } | null> {
  const id = (c.req.param("id") ?? "").toUpperCase();
  const detail = isQueueId(id) ? await queue.get(id) : null;
  if (detail === null) return null;
  if (detail.message.facts.sizeBytes > EDIT_LIMIT_BYTES) return { detail, text: null };
  const body = await queue.body(id);
  return { detail, text: body === null ? null : await textOf(body) };
}

/** The octets as text; null when they are not in UTF-8, or hold what a form cannot. */
async function textOf(body: AsyncIterable<Uint8Array>): Promise<string | null> {
  const octets = concatBytes(await Array.fromAsync(body));
  if (octets.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    return null;
  }
}

/** Forms end lines as they like; messages do it with CRLF (RFC 5322 2.1). */
function withLineEnds(text: string): string {
  return text.replace(/\r?\n/g, "\r\n");
}
