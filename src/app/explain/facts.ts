import type { RouteQuestion } from "../../admin/ports.ts";
import type { Config } from "../../config/schema.ts";
import type { RouteFacts, RouteRule } from "../../delivery/route.ts";
import { compileTreatment, type Fate, stricter } from "../../delivery/treatment.ts";
import { parseMailbox } from "../../mail/address.ts";

/** The facts that a question gives. */
export function factsOf(
  { to, from, listener, user, sizeBytes, priority, headers }: RouteQuestion,
  { listeners }: Config,
): RouteFacts {
  return {
    forwardPath: to,
    domain: domainOf(to),
    reversePath: from,
    listener: listener ?? listeners[0]?.name ?? "local",
    ...(user === undefined ? {} : { user }),
    ...(headers === undefined ? {} : { headers }),
    sizeBytes: sizeBytes ?? 0,
    priority: priority ?? 0,
  };
}

/** What becomes of mail for a recipient by the rule that fits it. */
export function fateOf(
  forwardPath: string,
  { rule, config }: { rule: RouteRule; config: Config },
): Fate {
  const ofRelay = compileTreatment(config.delivery.treatment ?? undefined);
  const judge = stricter(ofRelay, compileTreatment(rule.treatment));
  return judge?.(forwardPath) ?? { kind: "deliver" };
}

function domainOf(mailbox: string): string {
  const parsed = parseMailbox(mailbox);
  return parsed.kind === "ok"
    ? parsed.mailbox.domain
    : mailbox.slice(mailbox.lastIndexOf("@") + 1).toLowerCase();
}
