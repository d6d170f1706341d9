import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/schema.ts";
import type { Router } from "../delivery/dispatcher.ts";
import type { RefusalSink } from "../delivery/refusals.ts";
import { BounceTransport } from "../feedback/bounce_transport.ts";
import { FeedbackDesk, type FeedbackRules } from "../feedback/desk.ts";
import type { ReturnAddresses } from "../feedback/return_address.ts";
import { severityOf } from "../feedback/severity.ts";
import { formatReply } from "../mail/reply.ts";
import type { Resolver } from "../net/resolver.ts";
import type { EventSink } from "../observe/events.ts";
import type { EventRecorder } from "../queue/outbox.ts";
import type { QueueStore } from "../queue/store.ts";
import type { SuppressionList } from "../queue/suppressions.ts";
import type { ReturnAddressRules } from "../reception/rules.ts";
import { providerProof } from "./report_proof.ts";
import { returnAddresses } from "./return_paths.ts";

/** What taking bounces and complaints needs. */
export interface FeedbackParts {
  readonly store: QueueStore;
  readonly suppressions: SuppressionList;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly record: EventRecorder;
  readonly newId: () => string;
  readonly resolver: Resolver;
  /** Tells the scheduler that mail became due. */
  readonly wake: () => void;
  /** The configuration in force. */
  readonly config: () => Config;
}

/** Where bounces and complaints come in, and where they end. */
export class Feedback {
  readonly desk: FeedbackDesk;
  readonly #parts: FeedbackParts;
  readonly #transport: BounceTransport;
  #known: { readonly config: Config; readonly addresses: ReturnAddresses | null } | null = null;

  constructor(parts: FeedbackParts) {
    const { store, clock, newId, wake, config } = parts;
    this.#parts = parts;
    this.desk = new FeedbackDesk({
      ...parts,
      emit: parts.events,
      rules: () => deskRules(config()),
    });
    this.#transport = new BounceTransport({
      ...{ store, clock, newId, wake, desk: this.desk },
      proofOf: (report) => providerProof(report, parts),
      rules: () => {
        const { bounces, notifications, hostname, queue } = config();
        return {
          addresses: this.#addresses,
          mailboxes: bounces.mailboxes,
          forwards: bounces.forward,
          operator: notifications.postmaster,
          hostname,
          lifetimeMs: notifications.expireMs,
          spoolThresholdBytes: queue.spoolThresholdBytes,
        };
      },
    });
  }

  /** Routes whose mail for return addresses and bounce mailboxes ends here, before all others. */
  router(routes: Router): Router {
    const { bounces: { domains, mailboxes } } = this.#parts.config();
    if (domains.length === 0 && mailboxes.length === 0) return routes;
    const way = {
      ...{ kind: "open", name: "bounces", transports: [this.#transport] } as const,
      ...{ rawOnly: false, redirect: null },
    };
    return {
      ...routes,
      byDomainOnly: routes.byDomainOnly && mailboxes.length === 0,
      transports: new Set([...routes.transports, this.#transport]),
      open: (message) => {
        const wayOf = routes.open(message);
        return (recipient) =>
          this.#transport.owns(recipient.forwardPath, recipient.domain) ? way : wayOf(recipient);
      },
    };
  }

  /** The recipients whose mail ends here, for the checks at RCPT. */
  get returnAddresses(): ReturnAddressRules {
    return this.#transport;
  }

  /** Takes a refusal at delivery for a bounce, where the rules for replies or the config say so. */
  readonly onRefused: RefusalSink = ({ recipient: { forwardPath }, outcome }) => {
    const { reply: said, suppresses } = outcome;
    const status = said.enhanced ?? null;
    const isHard = () => severityOf({ status, text: formatReply(said) }) === "hard";
    if (suppresses !== true && !(this.#parts.config().bounces.refusals && isHard())) return;
    const refusal = { recipient: forwardPath, reason: formatReply(said), source: "delivery" };
    this.#suppress(refusal).catch((cause: unknown) =>
      this.#parts.events({
        ...{ type: "trouble", level: "error", component: "feedback", cause },
        message: `Cannot put <${forwardPath}> on the suppression list`,
      })
    );
  };

  async #suppress(refusal: Parameters<FeedbackDesk["suppress"]>[0]): Promise<void> {
    if (!await this.desk.suppress(refusal)) return;
    const { recipient: target, reason, source: by } = refusal;
    this.#parts.events({ type: "operated", by, action: "suppressed", target, reason });
  }

  /** Made anew when the configuration changed. */
  get #addresses(): ReturnAddresses | null {
    const config = this.#parts.config();
    if (this.#known?.config !== config) {
      this.#known = { config, addresses: returnAddresses(config) };
    }
    return this.#known.addresses;
  }
}

function deskRules({ bounces }: Config): FeedbackRules {
  return {
    suppressBouncedMs: bounces.suppressForMs,
    suppressComplainedMs: bounces.suppressComplaintsForMs,
    suppressSoftMs: bounces.suppressSoftForMs,
    soft: { limit: bounces.softLimit, windowMs: bounces.softWindowMs },
  };
}
