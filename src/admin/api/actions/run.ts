import type { Context } from "hono";
import { z } from "zod";
import { actorOf, type AdminEnv } from "../../env.ts";
import { answer } from "../../http/answer.ts";
import { problem } from "../../http/problem.ts";
import type { MessageFilter, QueueCommand, RecipientState } from "../../ports.ts";
import { RECIPIENT_STATES } from "../../../queue/store.ts";
import { COUNT_MS } from "../count_time.ts";
import type { ApiContext } from "../context.ts";
import { switchText } from "../schemas/fields.ts";
import { type FilterInput, filterOf, filterSchema, isOpenFilter } from "../schemas/filter.ts";

/** States of recipients that each action changes. */
const CHANGES = {
  retry: ["queued"],
  hold: ["queued"],
  release: ["held"],
  cancel: ["queued", "held"],
  bounce: ["queued", "held"],
  reroute: ["queued", "held"],
  readdress: ["queued", "held"],
  delete: RECIPIENT_STATES,
  "send-again": ["failed", "expired", "cancelled"],
} as const satisfies Readonly<Record<string, readonly RecipientState[]>>;
export type Action = keyof typeof CHANGES;

/** The fields that say which messages an action means. */
export const meantFields = {
  filter: filterSchema.describe("Messages to act on."),
  all: z.boolean().default(false)
    .describe("Must be true if the filter is empty."),
};

/** What an action came to, or would. */
export const actionResultSchema = z.object({
  action: z.enum(Object.keys(CHANGES) as [Action, ...Action[]]),
  matching: z.int().describe("Messages that match and that the action can change."),
  isComplete: z.boolean()
    .describe("False if more may match: the count stopped early."),
  changed: z.int().describe("Messages that were changed; 0 for a dry run."),
  dryRun: z.boolean(),
}).meta({ id: "ActionResult" });

/** The switch by which an action is only counted. */
export const dryRunQuery = z.strictObject({
  dry_run: switchText().default(false)
    .describe("Only count the messages."),
});

/** An action on messages. */
export interface ActionRequest {
  readonly action: Action;
  readonly filter: MessageFilter;
  readonly dryRun: boolean;
  /** Does it to what fits; returns how many messages it changed. */
  readonly perform: (request: { filter: MessageFilter; by: string }) => Promise<number>;
}

/** Runs an action on all that fits a filter, or counts what it would change. */
export async function runOnFilter(
  c: Context<AdminEnv>,
  { context, meant: { filter: input, all }, ...request }: Omit<ActionRequest, "filter"> & {
    context: ApiContext;
    meant: { readonly filter: FilterInput; readonly all: boolean };
  },
) {
  const filter = filterOf(input, context.clock.now());
  if (isOpenFilter(filter) && !all) {
    const message = "must be true for a filter that leaves nothing out";
    return problem(c, "invalid-request", { errors: [{ in: "body", field: "all", message }] });
  }
  const result = await run(context, { ...request, filter, by: actorOf(c.get("caller")) });
  return answer(c, actionResultSchema, result);
}

/** Runs an action on one message. */
export async function runOnOne(
  c: Context<AdminEnv>,
  { context, id, filter = {}, ...request }: Omit<ActionRequest, "filter"> & {
    context: ApiContext;
    id: string;
    /** What it is narrowed to besides. */
    filter?: MessageFilter;
  },
) {
  const by = actorOf(c.get("caller"));
  const result = await run(context, { ...request, filter: { ...filter, ids: [id] }, by });
  if (result.matching > 0) return answer(c, actionResultSchema, result);
  return problem(c, await context.ports.queue.get(id) === null ? "not-found" : "conflict", {
    detail: "It has no recipient that this action could change.",
  });
}

/** Does one command of the queue. */
export function commanding(
  { ports: { queue } }: ApiContext,
  command: QueueCommand,
): ActionRequest["perform"] {
  return ({ filter, by }) => queue.command({ filter, command, by });
}

async function run(
  { ports: { queue } }: ApiContext,
  { action, filter, by, dryRun, perform }: ActionRequest & { by: string },
): Promise<z.output<typeof actionResultSchema>> {
  const narrowed = { ...filter, states: statesOf(action, filter.states) };
  if (narrowed.states.length === 0) {
    return { action, matching: 0, isComplete: true, changed: 0, dryRun };
  }
  const { count: matching, isComplete } = await queue.countWithin(narrowed, COUNT_MS);
  const changed = dryRun || (matching === 0 && isComplete)
    ? 0
    : await perform({ filter: narrowed, by });
  return { action, matching, isComplete, changed, dryRun };
}

/** The states that both the action and the filter mean. */
function statesOf(
  action: Action,
  wanted: readonly RecipientState[] | undefined,
): readonly RecipientState[] {
  const changes: readonly RecipientState[] = CHANGES[action];
  return wanted === undefined ? changes : changes.filter((state) => wanted.includes(state));
}
