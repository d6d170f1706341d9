import type { ManagedAuthenticator } from "../auth/create_authenticator.ts";
import type { Clock } from "../base/clock.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { Config } from "../config/schema.ts";
import type { EventSink } from "../observe/events.ts";
import { UserRates } from "../policy/user_rate.ts";
import type { Intake } from "../queue/intake.ts";
import type { QueueStore } from "../queue/store.ts";
import type { SuppressionList } from "../queue/suppressions.ts";
import { OPEN_RULES, type ReceptionRules } from "../reception/rules.ts";
import type { Feedback } from "./feedback.ts";
import type { ServerSettings } from "./front_door.ts";
import type { ListenerTls } from "./listener_tls.ts";
import { aliasMap, relayRules, usageRules } from "./policy.ts";
import { queueStarter } from "./queue_starter.ts";

/** What the sessions of all listeners share. */
export interface ServerParts {
  readonly authenticator: ManagedAuthenticator;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly events: EventSink;
  readonly feedback: Feedback;
  readonly intake: Intake;
  readonly store: QueueStore;
  readonly suppressions: SuppressionList;
  readonly tls: ListenerTls;
  readonly userRates: UserRates;
  /** Tells the scheduler that mail became due. */
  readonly wake: () => void;
  readonly onQueueError: (error: unknown) => void;
}

/** How clients are served by a configuration. */
export function serverSettings(config: Config, parts: ServerParts): ServerSettings {
  const { clock, deadlines, events, intake, store } = parts;
  return {
    ...{ clock, deadlines, events, hostname: config.hostname, sink: intake },
    rules: receptionRules(config, parts),
    shared: {
      authenticator: parts.authenticator,
      aliases: aliasMap(config),
      startQueue: queueStarter({
        ...{ store, clock, wake: parts.wake },
        onError: parts.onQueueError,
      }),
      upgrade: (request) => parts.tls.upgrade(request),
    },
    usage: usageRules(config),
    limits: sessionLimits(config),
  };
}

function receptionRules(
  config: Config,
  { authenticator, userRates: rates, clock, suppressions, feedback }: ServerParts,
): ReceptionRules {
  return {
    ...{ ...OPEN_RULES, clock, suppressions, returnAddresses: feedback.returnAddresses },
    relay: relayRules(config),
    keepsBcc: config.relay.keepBcc,
    users: { account: (user) => authenticator.account(user), rates },
  };
}

function sessionLimits({ limits }: Config): ServerSettings["limits"] {
  return {
    messageBytes: limits.messageSizeBytes,
    recipients: limits.recipients,
    hops: limits.receivedHops,
    errors: limits.errors,
    commands: limits.commands,
    messages: limits.messages,
    sessionBytes: limits.sessionSizeBytes,
    minDeliverByMs: limits.minDeliverByMs,
    maxHoldMs: limits.maxHoldMs,
    commandLineBytes: limits.commandLineBytes,
  };
}
