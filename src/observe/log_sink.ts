import { configureSync, getLogger, resetSync, type Sink } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { EVENT_LEVELS, type EventLevel, levelOf } from "./event_level.ts";
import { EventRecord, LOG_CATEGORY } from "./event_record.ts";
import type { EventSink } from "./events.ts";
import { type ByteWriter, LineWriter } from "./line_writer.ts";
import { jsonFormatter, type LineFormatter, textFormatter } from "./log_format.ts";

/** What is logged, how it looks and where it goes. */
export interface LoggingOptions {
  /** The least severity that is logged. */
  readonly level: EventLevel;
  readonly format: "text" | "json";
  /** For text: whether to use the colors of a terminal. */
  readonly colors?: boolean;
  readonly write: ByteWriter;
  readonly clock: Clock;
}

/** The configured log. Disposing of it writes what waits and ends logging. */
export interface Logging extends AsyncDisposable {
  /** Logs an event, or drops it for its level. */
  readonly sink: EventSink;
  /** Resolves when everything logged so far is written. */
  flush(): Promise<void>;
}

/**
 * LogTape copies each record for sinks that may look at it later, which costs ten times as much
 * as everything else here. This mark, by which LogTape knows its own sinks that format a record
 * at once, says that it need not.
 */
const FORMATS_AT_ONCE = Symbol.for("LogTape.sinkSnapshotPolicy.immediate");

/**
 * Configures LogTape for the process: one record an event, and warnings of libraries that log
 * through LogTape. Calling it again replaces the configuration.
 */
export function configureLogging(options: LoggingOptions): Logging {
  const { clock, format, level, write } = options;
  const formatter = format === "json"
    ? jsonFormatter()
    : textFormatter({ colors: options.colors ?? false });
  const lines = new LineWriter({ write, clock, lossLine: lossLine(formatter, clock) });
  const sink: Sink = (record) => lines.add(formatter(record));
  Object.defineProperty(sink, FORMATS_AT_ONCE, { value: true });
  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      { category: [], sinks: ["lines"], lowestLevel: "warning" },
      {
        category: [...LOG_CATEGORY],
        sinks: ["lines"],
        parentSinks: "override",
        lowestLevel: level,
      },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  return {
    sink: eventSink({ level, clock }),
    flush: () => lines.flush(),
    async [Symbol.asyncDispose]() {
      await lines[Symbol.asyncDispose]();
      resetSync();
    },
  };
}

function eventSink({ level, clock }: { level: EventLevel; clock: Clock }): EventSink {
  const logger = getLogger(LOG_CATEGORY);
  const logged = new Set<EventLevel>(EVENT_LEVELS.slice(EVENT_LEVELS.indexOf(level)));
  return (event) => {
    const eventLevel = levelOf(event);
    if (!logged.has(eventLevel)) return;
    logger.emit(new EventRecord(event, { level: eventLevel, timeMs: clock.now() }));
  };
}

function lossLine(formatter: LineFormatter, clock: Clock): (lines: number) => string {
  return (count) => {
    const message = `${count} ${count === 1 ? "line was" : "lines were"} lost: the reader is slow`;
    const event = { type: "trouble", level: "warning", component: "log", message } as const;
    return formatter(new EventRecord(event, { level: "warning", timeMs: clock.now() }));
  };
}
