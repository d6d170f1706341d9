import { type Context, Hono } from "hono";
import { z } from "zod";
import { parseMailbox } from "../../../mail/address.ts";
import type { AdminEnv } from "../../env.ts";
import { json, param, query } from "../../http/input.ts";
import { operation } from "../../http/operation.ts";
import { problem } from "../../http/problem.ts";
import type { Readdressing } from "../../ports.ts";
import type { ApiContext } from "../context.ts";
import { messagePath } from "../messages.ts";
import { lineText, mailbox } from "../schemas/fields.ts";
import {
  actionResultSchema,
  commanding,
  dryRunQuery,
  meantFields,
  runOnFilter,
  runOnOne,
} from "./run.ts";

const rerouteFields = {
  transport: lineText({ max: 100 }).min(1).nullable()
    .describe("Name of the transport; null returns to the routes."),
};
const readdressFields = {
  remove: mailbox().optional()
    .describe("Recipient to cancel; messages without it stay unchanged."),
  add: z.array(mailbox()).max(100).default([])
    .describe("Recipients to add; with `remove`, they replace it."),
};
const rerouteOne = z.strictObject(rerouteFields).meta({ id: "RerouteOneRequest" });
const rerouteMany = z.strictObject({ ...meantFields, ...rerouteFields })
  .meta({ id: "RerouteRequest" });
const readdressOne = z.strictObject(readdressFields).meta({ id: "ReaddressOneRequest" });
const readdressMany = z.strictObject({ ...meantFields, ...readdressFields })
  .meta({ id: "ReaddressRequest" });

const REROUTE =
  "All further attempts use this transport instead of the routes; the next one is due now. " +
  "This survives a restart; null undoes it.";
const READDRESS =
  "Cancels a recipient and adds others, due now. No recipient gets a message twice.";

const common = { tag: "Actions", role: "operator", answer: actionResultSchema } as const;

/** Actions that change where messages go, and by which way. */
export function wayActionRoutes(context: ApiContext) {
  return new Hono<AdminEnv>()
    .post(
      "/messages/actions/reroute",
      operation({
        ...{ ...common, id: "rerouteMessages", description: REROUTE },
        summary: "Choose the transport of all messages that match a filter",
      }),
      query(dryRunQuery),
      json(rerouteMany),
      (c) => {
        const { transport, ...meant } = c.req.valid("json");
        if (!isKnown(context, transport)) return unknownTransport(c);
        const perform = commanding(context, { kind: "reroute", transport });
        const dryRun = c.req.valid("query").dry_run;
        return runOnFilter(c, { context, action: "reroute", dryRun, perform, meant });
      },
    )
    .post(
      "/messages/:id/actions/reroute",
      operation({
        ...{ ...common, id: "rerouteMessage", description: REROUTE },
        summary: "Choose the transport of one message",
      }),
      param(messagePath),
      query(dryRunQuery),
      json(rerouteOne),
      (c) => {
        const { transport } = c.req.valid("json");
        if (!isKnown(context, transport)) return unknownTransport(c);
        const perform = commanding(context, { kind: "reroute", transport });
        const dryRun = c.req.valid("query").dry_run;
        const { id } = c.req.valid("param");
        return runOnOne(c, { context, action: "reroute", dryRun, perform, id });
      },
    )
    .post(
      "/messages/actions/readdress",
      operation({
        ...{ ...common, id: "readdressMessages", description: READDRESS },
        summary: "Change the recipients of all messages that match a filter",
      }),
      query(dryRunQuery),
      json(readdressMany),
      (c) => {
        const { filter, all, ...input } = c.req.valid("json");
        const change = readdressingOf(input);
        if (change === null) return noChange(c);
        if (!isNarrowing(change, filter)) return otherRecipient(c);
        const perform = commanding(context, { kind: "readdress", ...change });
        const dryRun = c.req.valid("query").dry_run;
        const meant = { filter: { ...filter, ...narrowing(change) }, all };
        return runOnFilter(c, { context, action: "readdress", dryRun, perform, meant });
      },
    )
    .post(
      "/messages/:id/actions/readdress",
      operation({
        ...{ ...common, id: "readdressMessage", description: READDRESS },
        summary: "Change the recipients of one message",
      }),
      param(messagePath),
      query(dryRunQuery),
      json(readdressOne),
      (c) => {
        const change = readdressingOf(c.req.valid("json"));
        if (change === null) return noChange(c);
        const perform = commanding(context, { kind: "readdress", ...change });
        const dryRun = c.req.valid("query").dry_run;
        const { id } = c.req.valid("param");
        const filter = narrowing(change);
        return runOnOne(c, { context, action: "readdress", dryRun, perform, id, filter });
      },
    );
}

/** What of a filter the change needs to hold, so that a count promises nothing it does not do. */
export function narrowing({ remove }: Readdressing): { readonly recipient?: string } {
  return remove === undefined ? {} : { recipient: remove };
}

/** Whether the filter means the recipient that is removed, or says nothing of it. */
export function isNarrowing(
  { remove }: Readdressing,
  { recipient }: { readonly recipient?: string | undefined },
): boolean {
  return remove === undefined || recipient === undefined ||
    recipient.toLowerCase() === remove.toLowerCase();
}

/** A change with the domains of its mailboxes; null when it changes nothing or one is none. */
export function readdressingOf(
  { remove, add }: { readonly remove?: string | undefined; readonly add: readonly string[] },
): Readdressing | null {
  const added: { forwardPath: string; domain: string }[] = [];
  for (const forwardPath of add) {
    const parsed = parseMailbox(forwardPath);
    if (parsed.kind === "error") return null;
    added.push({ forwardPath, domain: parsed.mailbox.domain });
  }
  if (remove === undefined && added.length === 0) return null;
  return { ...(remove === undefined ? {} : { remove }), add: added };
}

function isKnown({ ports }: ApiContext, transport: string | null): boolean {
  return transport === null || ports.transports.list().some(({ name }) => name === transport);
}

function unknownTransport(c: Context<AdminEnv>) {
  const message = "is not the name of a transport of this relay";
  return problem(c, "invalid-request", { errors: [{ in: "body", field: "transport", message }] });
}

function otherRecipient(c: Context<AdminEnv>) {
  const message = "is not the recipient that is removed";
  const field = "filter.recipient";
  return problem(c, "invalid-request", { errors: [{ in: "body", field, message }] });
}

function noChange(c: Context<AdminEnv>) {
  const message = "has no mail address to add, and nothing to remove";
  return problem(c, "invalid-request", { errors: [{ in: "body", field: "add", message }] });
}
