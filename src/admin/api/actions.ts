import { Hono } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../env.ts";
import { answer } from "../http/answer.ts";
import { json, param, query } from "../http/input.ts";
import { operation } from "../http/operation.ts";
import { problem } from "../http/problem.ts";
import type { MessageFilter, QueueCommand, RecipientState } from "../ports.ts";
import { countWithin } from "./bounded_count.ts";
import type { ApiContext } from "./context.ts";
import { messagePath } from "./messages.ts";
import { lineText, mailbox, switchText } from "./schemas/fields.ts";
import { RECIPIENT_STATES } from "../../queue/store.ts";
import { filterOf, filterSchema, isOpenFilter } from "./schemas/filter.ts";

const ACTIONS = ["retry", "hold", "release", "cancel", "bounce", "delete"] as const;
type Action = typeof ACTIONS[number];

/** States of recipients that an action changes. */
const CHANGES: Readonly<Record<Action, readonly RecipientState[]>> = {
  retry: ["queued"],
  hold: ["queued"],
  release: ["held"],
  cancel: ["queued", "held"],
  bounce: ["queued", "held"],
  delete: RECIPIENT_STATES,
};

const actionSchema = z.strictObject({
  filter: filterSchema.describe("Which messages are meant."),
  all: z.boolean().default(false)
    .describe("Must be true for a filter that leaves nothing out."),
}).meta({ id: "ActionRequest" });

export const actionResultSchema = z.object({
  action: z.enum(ACTIONS),
  matching: z.int().describe("Messages that fit and that the action can change."),
  isComplete: z.boolean()
    .describe("False when more may fit: it would have taken too long to look at all."),
  changed: z.int().describe("Messages that were changed; 0 for a dry run."),
  dryRun: z.boolean(),
}).meta({ id: "ActionResult" });

const dryRun = z.strictObject({
  dry_run: switchText().default(false)
    .describe("Only count what would be changed."),
});
const action = z.enum(ACTIONS);

const DESCRIPTION = "`retry` makes queued recipients due now, `hold` keeps them back, `release` " +
  "lets held ones go, `cancel` gives up without telling the sender, `bounce` gives up with a " +
  "notification to the sender, `delete` forgets whole messages. What was done, and by whom, " +
  "stands in the timeline of each message. With `dry_run` nothing is done but counting.";

const sendAgainSchema = z.strictObject({
  recipients: z.array(mailbox()).min(1).max(1000).optional()
    .describe("Who gets it; where not given, those who did not."),
  reverse_path: z.union([z.literal(""), mailbox()]).optional()
    .describe("Another reverse-path; empty for the null one."),
  route: lineText({ max: 100 }).optional()
    .describe("Name of the route that it takes, whatever fits."),
  message: z.base64().optional()
    .describe("The message in place of the one that is kept, in base64."),
}).meta({ id: "SendAgainRequest" });

const sentAgainSchema = z.object({
  id: z.string().describe("Queue id of the new message."),
  recipients: z.int(),
}).meta({ id: "SentAgain" });

const SEND_AGAIN = "Messages that failed are kept whole for `queue.keep_failed`. The new message " +
  "and the old one name each other in their timelines.";

/** What operators do to messages. */
export function actionRoutes({ ports: { queue }, clock }: ApiContext) {
  /** Counts what fits and, unless it is a dry run, does it. */
  const run = async (
    { action, filter, by, dryRun }: {
      action: Action;
      filter: MessageFilter;
      by: string;
      dryRun: boolean;
    },
  ): Promise<z.output<typeof actionResultSchema>> => {
    const narrowed = { ...filter, states: statesOf(action, filter.states) };
    if (narrowed.states.length === 0) {
      return { action, matching: 0, isComplete: true, changed: 0, dryRun };
    }
    const { count: matching, isComplete } = await countWithin({ queue, clock }, narrowed);
    const command: QueueCommand = { kind: action };
    const changed = dryRun || (matching === 0 && isComplete)
      ? 0
      : await queue.command({ filter: narrowed, command, by });
    return { action, matching, isComplete, changed, dryRun };
  };

  return new Hono<AdminEnv>()
    .post(
      "/messages/:id/send-again",
      operation({
        ...{ id: "sendMessageAgain", tag: "Actions", role: "operator", answer: sentAgainSchema },
        summary: "Put a message into the queue once more, as a new one",
        description: SEND_AGAIN,
      }),
      param(messagePath),
      json(sendAgainSchema),
      async (c) => {
        const { id } = c.req.valid("param");
        if (await queue.get(id) === null) return problem(c, "not-found");
        const { recipients, reverse_path: reversePath, route, message } = c.req.valid("json");
        const result = await queue.sendAgain({
          ...{ id, by: actorOf(c.get("caller")) },
          ...(recipients === undefined ? {} : { recipients }),
          ...(reversePath === undefined ? {} : { reversePath }),
          ...(route === undefined ? {} : { route }),
          ...(message === undefined ? {} : { message: Uint8Array.fromBase64(message) }),
        });
        if (result.kind === "queued") {
          return answer(c, sentAgainSchema, { id: result.id, recipients: result.recipients });
        }
        return problem(c, "conflict", { detail: `Cannot send it again: ${result.reason}.` });
      },
    )
    .post(
      "/messages/actions/:action",
      operation({
        id: "changeMessages",
        tag: "Actions",
        summary: "Do something to all messages that fit a filter",
        description: DESCRIPTION,
        role: "operator",
        answer: actionResultSchema,
      }),
      param(z.strictObject({ action })),
      query(dryRun),
      json(actionSchema),
      async (c) => {
        const body = c.req.valid("json");
        const filter = filterOf(body.filter, clock.now());
        if (isOpenFilter(filter) && !body.all) {
          const message = "must be true for a filter that leaves nothing out";
          return problem(c, "invalid-request", { errors: [{ in: "body", field: "all", message }] });
        }
        const { action } = c.req.valid("param");
        const by = actorOf(c.get("caller"));
        const result = await run({ action, filter, by, dryRun: c.req.valid("query").dry_run });
        return answer(c, actionResultSchema, result);
      },
    )
    .post(
      "/messages/:id/actions/:action",
      operation({
        id: "changeMessage",
        tag: "Actions",
        summary: "Do something to one message",
        description: DESCRIPTION,
        role: "operator",
        answer: actionResultSchema,
      }),
      param(messagePath.extend({ action })),
      query(dryRun),
      async (c) => {
        const { id, action } = c.req.valid("param");
        const by = actorOf(c.get("caller"));
        const filter = { ids: [id] };
        const result = await run({ action, filter, by, dryRun: c.req.valid("query").dry_run });
        if (result.matching > 0) return answer(c, actionResultSchema, result);
        return problem(c, await queue.get(id) === null ? "not-found" : "conflict", {
          detail: "It has no recipient that this could change.",
        });
      },
    );
}

/** The states that both the action and the filter mean. */
function statesOf(
  action: Action,
  wanted: readonly RecipientState[] | undefined,
): readonly RecipientState[] {
  const changes = CHANGES[action];
  return wanted === undefined ? changes : changes.filter((state) => wanted.includes(state));
}
