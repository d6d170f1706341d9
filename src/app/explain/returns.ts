import type { RouteQuestion, RouteTraceBounce } from "../../admin/ports.ts";
import type { Config } from "../../config/schema.ts";
import { explainRoute } from "../../delivery/explain.ts";
import { parseMailbox } from "../../mail/address.ts";
import { leavesFromReturnAddress, returnAddresses } from "../return_paths.ts";
import { factsOf, fateOf } from "./facts.ts";

/** Stands for the queue id, which nobody knows before there is a message. */
const NO_ID = "0".repeat(16);

/** The reverse-path that mail leaves from by a transport; empty for the null one. */
export function returnPathOf(
  { from, to }: Pick<RouteQuestion, "from" | "to">,
  { transport, config }: { transport: string; config: Config },
): string {
  const addresses = returnAddresses(config);
  if (addresses === null || !leavesFromReturnAddress(from, { config, transport })) return from;
  const parsed = parseMailbox(from);
  const senderDomain = parsed.kind === "ok" ? parsed.mailbox.domain : "";
  const made = addresses.make({ messageId: NO_ID, index: 0 }, { recipient: to, senderDomain });
  return made === null ? from : `b-…${made.slice(made.lastIndexOf("@"))}`;
}

/** Who is notified when it cannot be delivered, and by which route. */
export function bounceOf({ from }: Pick<RouteQuestion, "from">, config: Config): RouteTraceBounce {
  const to = from === "" ? config.notifications.postmaster : from;
  if (to === null) return { to, route: null, mode: null, transports: [] };
  const facts = factsOf({ to, from: "", listener: "local" }, config);
  const rule = explainRoute(config.routes, facts).find(({ fits }) => fits)?.rule ?? null;
  if (rule === null) return { to, route: null, mode: null, transports: [] };
  const { kind: mode } = fateOf(to, { rule, config });
  const rests = mode === "hold" || mode === "capture";
  return { to, route: rule.name, mode, transports: rests ? [] : rule.transports };
}
