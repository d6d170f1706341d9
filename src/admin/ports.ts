/**
 * What the admin API and the dashboard are built from. The composition root implements these with
 * the parts of a running relay; tests implement them with values. Times are milliseconds since the
 * Unix epoch, sizes are octets. Ports that are optional belong to parts that a relay may lack; the
 * API answers 404 for them and the dashboard leaves their pages out.
 */
import type { ConfigPort, HealthPort, InfoPort, MetricsPort } from "./ports/relay.ts";
import type { QueuePort } from "./ports/queue.ts";
import type { DestinationsPort, TransportsPort } from "./ports/ways.ts";
import type { RoutesPort } from "./ports/routes.ts";
import type { ActivityPort, EventsPort } from "./ports/events.ts";
import type { KeysPort, UsersPort } from "./ports/access.ts";
import type { SuppressionsPort } from "./ports/suppressions.ts";
import type { WebhooksPort } from "./ports/webhooks.ts";
import type { SubmissionPort } from "./ports/submission.ts";
import type { PreflightPort } from "./ports/preflight.ts";

export type { RelayEvent } from "../observe/events.ts";
export type {
  MessageDetail,
  MessageFilter,
  MessageListItem,
  MessagePage,
  QueueCommand,
  RecipientState,
  StoreStats,
  TimelineEntry,
} from "../queue/store.ts";
export * from "./ports/access.ts";
export * from "./ports/events.ts";
export * from "./ports/preflight.ts";
export * from "./ports/queue.ts";
export * from "./ports/relay.ts";
export * from "./ports/routes.ts";
export * from "./ports/submission.ts";
export * from "./ports/suppressions.ts";
export * from "./ports/ways.ts";
export * from "./ports/webhooks.ts";

/** Everything the admin app is built from. */
export interface AdminPorts {
  readonly info: InfoPort;
  readonly queue: QueuePort;
  readonly destinations: DestinationsPort;
  readonly transports: TransportsPort;
  readonly routes: RoutesPort;
  readonly config: ConfigPort;
  readonly events: EventsPort;
  readonly activity: ActivityPort;
  readonly metrics: MetricsPort;
  readonly health: HealthPort;
  readonly keys: KeysPort;
  readonly users: UsersPort;
  readonly suppressions?: SuppressionsPort;
  readonly webhooks?: WebhooksPort;
  readonly submission?: SubmissionPort;
  readonly preflight?: PreflightPort;
}
