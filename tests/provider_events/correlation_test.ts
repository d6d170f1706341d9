/** What an API answers and what its webhooks say later are one name, and so is the queue id. */
import { assert, assertEquals } from "@std/assert";
import { mailgunReports } from "../../src/provider_events/mailgun/reports.ts";
import { postmarkReports } from "../../src/provider_events/postmark/reports.ts";
import { resendReports } from "../../src/provider_events/resend/reports.ts";
import { sendgridReports } from "../../src/provider_events/sendgrid/reports.ts";
import { sesReports } from "../../src/provider_events/ses/reports.ts";
import type { Reading } from "../../src/provider_events/source.ts";
import { createRelay } from "../../src/relay/mod.ts";
import type { RelayType } from "../../src/relay/schemas.ts";
import { jobOf, PLAIN } from "../relay/messages.ts";
import { ManualClock } from "../support/manual_clock.ts";

const UUID = "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794";
const MAILBOX = "ann@one.example";

interface Row {
  readonly type: RelayType;
  readonly table: Readonly<Record<string, unknown>>;
  readonly answer: () => Response;
  /** The event that follows, with the data of the sender's own out of the request. */
  readonly event: (request: string) => Reading;
}

// deno-lint-ignore no-explicit-any -- JSON
const parsed = (request: string): any => JSON.parse(request);

const ROWS: readonly Row[] = [
  {
    type: "mailgun",
    table: { domain: "mg.x.example", api_key: "k", region: "us" },
    answer: () => Response.json({ id: "<1.2@mg.x.example>", message: "Queued. Thank you." }),
    event(request) {
      const variable = /name="v:posthouse_id"\r\n\r\n([^\r]*)/.exec(request)?.[1];
      return mailgunReports({
        "event-data": {
          ...{ event: "delivered", recipient: MAILBOX },
          message: { headers: { "message-id": "1.2@mg.x.example" } },
          "user-variables": { posthouse_id: variable },
        },
      }, { token: "t" });
    },
  },
  {
    type: "ses",
    table: { region: "eu-west-1", access_key_id: "a", secret_access_key: "s" },
    answer: () => Response.json({ MessageId: "0102018f-1" }),
    event(request) {
      const [tag] = parsed(request).EmailTags;
      const mail = { messageId: "0102018f-1", tags: { [tag.Name]: [tag.Value] } };
      const text = JSON.stringify({
        eventType: "Delivery",
        mail,
        delivery: { recipients: [MAILBOX] },
      });
      return sesReports({ id: "1", text });
    },
  },
  {
    type: "sendgrid",
    table: { api_key: "k" },
    answer: () => new Response(null, { status: 202, headers: { "x-message-id": "14c5d75ce93" } }),
    event: (request) =>
      sendgridReports([{
        ...{ event: "delivered", email: MAILBOX, sg_event_id: "e" },
        sg_message_id: "14c5d75ce93.filter0001.16648.5515E0B88.0",
        ...parsed(request).custom_args,
      }]),
  },
  {
    type: "postmark",
    table: { server_token: "t", message_stream: "outbound" },
    answer: () => Response.json({ ErrorCode: 0, Message: "OK", MessageID: UUID }),
    event: (request) =>
      postmarkReports({
        ...{ RecordType: "Delivery", Recipient: MAILBOX, MessageID: UUID },
        Metadata: parsed(request).Metadata,
      }),
  },
  {
    type: "resend",
    table: { api_key: "k" },
    answer: () => Response.json({ id: UUID }),
    event(request) {
      const tags: { name: string; value: string }[] = parsed(request).tags;
      return resendReports({
        type: "email.delivered",
        data: {
          ...{ email_id: UUID, to: [MAILBOX] },
          tags: Object.fromEntries(tags.map(({ name, value }) => [name, value])),
        },
      }, { id: "msg_1" });
    },
  },
];

for (const { type, table, answer, event } of ROWS) {
  Deno.test(`provider events: ${type} tells of what it took by both names`, async () => {
    let request = "";
    const made = createRelay({ type, table }, {
      ...{ name: "out", clock: new ManualClock() },
      async fetch(_url, { body }) {
        request = body instanceof Blob ? await new Response(body.stream()).text() : "";
        return answer();
      },
    });
    assert(made.kind === "created");
    await using transport = made.transport;
    const job = jobOf(PLAIN, { recipients: [MAILBOX] });
    const { signal } = new AbortController();
    const { outcomes: [outcome] } = await transport.deliver(job, { signal });
    assert(outcome?.kind === "delivered" && outcome.remoteId !== undefined);
    const reading = event(request);
    assert(reading.kind === "reports");
    const [report] = reading.reports;
    assertEquals(report?.remoteId, outcome.remoteId);
    assertEquals(report?.queueId, job.message.id);
  });
}
