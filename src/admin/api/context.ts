import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { EventSink } from "../../observe/events.ts";
import type { ContentReader } from "../content/read.ts";
import type { Sessions } from "../guard/sessions.ts";
import type { AdminPorts } from "../ports.ts";

/** What the routes of the API work with. */
export interface ApiContext {
  readonly ports: AdminPorts;
  /** Is notified of failures. */
  readonly events: EventSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly contents: ContentReader;
  readonly sessions: Sessions;
}
