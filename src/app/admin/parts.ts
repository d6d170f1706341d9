import type { Clock } from "../../base/clock.ts";
import type { Config } from "../../config/schema.ts";
import type { Scheduler } from "../../delivery/scheduler.ts";
import type { Transport } from "../../delivery/transport.ts";
import type { ListenerInfo } from "../../admin/ports.ts";
import type { Resolver } from "../../net/resolver.ts";
import type { EventSink } from "../../observe/events.ts";
import type { MessageSubmitter } from "../../ingress/submitter.ts";
import type {
  SendAgainRequest,
  SendAgainResult,
  SendAgainServices,
} from "../../queue/send_again.ts";
import type { QueueStore } from "../../queue/store.ts";
import type { SuppressionList } from "../../queue/suppressions.ts";
import type { Webhooks } from "../../webhooks/webhooks.ts";
import type { ReceptionRules } from "../../reception/rules.ts";
import type { PauseKeeper } from "./pause_keeper.ts";
import type { WayHistory } from "./way_history.ts";

/** The parts of a running relay that the admin ports show and command. */
export interface RelayParts {
  readonly store: QueueStore;
  readonly scheduler: Scheduler;
  readonly suppressions: SuppressionList;
  readonly webhooks: Webhooks;
  /** The way in for mail that comes by HTTP. */
  readonly submitter: MessageSubmitter;
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** What mail of the relay's own goes into the queue with. */
  readonly newMail: () => SendAgainServices;
  readonly sendAgain: (request: SendAgainRequest) => Promise<SendAgainResult>;
  readonly events: EventSink;
  readonly history: WayHistory;
  readonly pauses: PauseKeeper;
  /** The configuration in force. */
  readonly config: () => Config;
  readonly transports: () => ReadonlyMap<string, Transport>;
  /** What a listener judges mail by; null where none has the name. */
  readonly receptionRules: (listener: string) => ReceptionRules | null;
  readonly listeners: () => readonly ListenerInfo[];
}
