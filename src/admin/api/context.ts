import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { ContentReader } from "../content/read.ts";
import type { Sessions } from "../guard/sessions.ts";
import type { AdminPorts } from "../ports.ts";

/** What the routes of the API work with. */
export interface ApiContext {
  readonly ports: AdminPorts;
  readonly clock: Clock;
  readonly random: Random;
  readonly contents: ContentReader;
  readonly sessions: Sessions;
}
