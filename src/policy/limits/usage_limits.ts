import { type Reply, reply } from "../../mail/reply.ts";
import { ACCEPT, type Decision, refuse } from "../decision.ts";
import { isInNetworks, type Network } from "../network.ts";
import { clientKey } from "./client_key.ts";
import { type RateLimits, type UsageKind, UsageTable, type Use } from "./usage_table.ts";

/** What may be done through one listener, in any time. */
export interface UsageRules {
  /** By each client. */
  readonly client: RateLimits;
  /** By all clients together. */
  readonly listener: RateLimits;
  /** Clients that have no limits of their own; they count for the listener. */
  readonly exempt: readonly Network[];
}

/** Nothing is limited. */
export const NO_USAGE_RULES: UsageRules = { client: {}, listener: {}, exempt: [] };

/** Clients whose use is remembered; about 30 MiB when there are so many. */
const MAX_CLIENTS = 50_000;

/** RFC 5321 4.2.3 and 3.8: 421 ends the session, 450 and 451 only the command. */
const OF_CLIENT: Readonly<Record<UsageKind, Reply>> = {
  connections: reply(421, "4.7.0", "Too many new connections from your address, try again later"),
  commands: reply(421, "4.7.0", "Too many commands from your address, try again later"),
  errors: reply(421, "4.7.0", "Too many errors from your address, try again later"),
  messages: reply(450, "4.7.1", "Too many messages from your address, try again later"),
  recipients: reply(450, "4.7.1", "Too many recipients from your address, try again later"),
  bytes: reply(450, "4.7.1", "Too much mail from your address, try again later"),
};

const OF_LISTENER: Readonly<Record<UsageKind, Reply>> = {
  connections: reply(421, "4.3.2", "Too many new connections, try again later"),
  commands: reply(421, "4.3.2", "Too many commands, try again later"),
  errors: reply(421, "4.3.2", "Too many errors, try again later"),
  messages: reply(451, "4.3.2", "Too many messages, try again later"),
  recipients: reply(451, "4.3.2", "Too many recipients, try again later"),
  bytes: reply(451, "4.3.2", "Too much mail, try again later"),
};

const EVERYBODY = "";

/** Keeps a listener's clients within its rules, which may be replaced at any time. */
export class UsageLimits {
  rules: UsageRules;
  readonly #clients: UsageTable;
  readonly #listener = new UsageTable({ maxKeys: 1 });

  constructor(
    rules: UsageRules = NO_USAGE_RULES,
    { maxClients = MAX_CLIENTS }: { maxClients?: number } = {},
  ) {
    this.rules = rules;
    this.#clients = new UsageTable({ maxKeys: maxClients });
  }

  /** Whether a client has no limits of its own. */
  isExempt(clientAddress: string): boolean {
    return isInNetworks(clientAddress, this.rules.exempt);
  }

  /** Decides whether a client may do one more of something; counts nothing. */
  judge(clientAddress: string, use: Use): Decision {
    const { client, listener } = this.rules;
    const ofAll = listener[use.kind];
    if (ofAll !== undefined && this.#listener.isFull(EVERYBODY, use, ofAll)) {
      return refuse(OF_LISTENER[use.kind], `the ${use.kind} of the listener are at their limit`);
    }
    const ofOne = client[use.kind];
    if (ofOne === undefined || this.isExempt(clientAddress)) return ACCEPT;
    if (!this.#clients.isFull(clientKey(clientAddress), use, ofOne)) return ACCEPT;
    return refuse(OF_CLIENT[use.kind], `the ${use.kind} of the client are at their limit`);
  }

  /** Counts what a client did. */
  count(clientAddress: string, use: Use): void {
    const { client, listener } = this.rules;
    const ofAll = listener[use.kind];
    if (ofAll !== undefined) this.#listener.add(EVERYBODY, use, ofAll);
    const ofOne = client[use.kind];
    if (ofOne === undefined || this.isExempt(clientAddress)) return;
    this.#clients.add(clientKey(clientAddress), use, ofOne);
  }

  /** Decides, and counts where the decision lets pass. */
  take(clientAddress: string, use: Use): Decision {
    const decision = this.judge(clientAddress, use);
    if (decision.kind === "accept") this.count(clientAddress, use);
    return decision;
  }
}
