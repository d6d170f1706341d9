import { Activity } from "../../admin/events/activity.ts";
import { EventFeed } from "../../admin/events/feed.ts";
import type { Clock } from "../../base/clock.ts";
import { type EventSink, fanOut } from "../../observe/events.ts";
import { createMetrics, type Metrics } from "../../observe/metrics.ts";
import { exportToRuntime } from "../../observe/runtime_meter.ts";
import type { QueueStore } from "../../queue/store.ts";
import { exportsTelemetry } from "../telemetry.ts";
import { StallWatch } from "./stall_watch.ts";
import { WayHistory } from "./way_history.ts";

/** Everything that learns about the relay from its events. */
export class RelayWatch {
  readonly feed: EventFeed;
  readonly activity: Activity;
  readonly ways: WayHistory;
  readonly metrics: Metrics;
  readonly stall: StallWatch;
  /** Where all parts of the relay report. */
  readonly sink: EventSink;

  constructor({ store, clock, version, events }: {
    store: QueueStore;
    clock: Clock;
    version: string;
    /** Is notified of everything besides. */
    events: EventSink;
  }) {
    this.feed = new EventFeed({ clock });
    this.activity = new Activity({ clock });
    this.ways = new WayHistory({ clock });
    this.metrics = createMetrics({
      ...{ version, clock },
      queue: () => store.stats(),
      residentBytes: () => Deno.memoryUsage().rss,
    });
    if (exportsTelemetry()) exportToRuntime(this.metrics);
    this.stall = new StallWatch({ store, clock, emit: (event) => this.sink(event) });
    this.sink = fanOut([
      events,
      this.feed.sink,
      this.activity.sink,
      this.ways.sink,
      this.metrics.sink,
      this.stall.sink,
    ]);
  }
}
