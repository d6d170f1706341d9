import type { LogRecord } from "@logtape/logtape";
import { escapeControls } from "../mail/safe_text.ts";
import { describe, describeCause } from "./describe.ts";
import { EventRecord } from "./event_record.ts";
import type { RelayEvent } from "./events.ts";

/** Turns a record into one line, without its line feed. */
export type LineFormatter = (record: LogRecord) => string;

/**
 * One JSON object a line: `time` (RFC 3339, UTC), `level`, then the fields of the event with its
 * `type`; for a record that is none `type` is `log`.
 */
export function jsonFormatter(): LineFormatter {
  const isoTime = cachedByTime((timeMs) => new Date(timeMs).toISOString(), 1);
  return (record) => {
    const head = `{"time":"${isoTime(record.timestamp)}","level":"${record.level}",`;
    return head + JSON.stringify(jsonFields(record)).slice(1);
  };
}

function jsonFields(record: LogRecord): RelayEvent | Record<string, unknown> {
  if (record instanceof EventRecord) {
    const { event } = record;
    if (event.type !== "trouble") return event;
    const { level: _head, ...fields } = event;
    if (event.cause === undefined) return fields;
    const stack = event.cause instanceof Error ? event.cause.stack : undefined;
    return { ...fields, cause: describeCause(event.cause), stack };
  }
  return { type: "log", component: record.category.join("."), message: messageText(record) };
}

const COLORS: Readonly<Record<string, string>> = {
  debug: "\x1b[2m",
  warning: "\x1b[33m",
  error: "\x1b[31m",
  fatal: "\x1b[31m",
};
const DIM = "\x1b[2m";
const CYAN = "\x1b[36m";
const PLAIN = "\x1b[0m";

const LEVEL_WORDS: Readonly<Record<string, string>> = {
  trace: "trace",
  debug: "debug",
  info: "info ",
  warning: "warn ",
  error: "ERROR",
  fatal: "ERROR",
};

/** A compact line for people: local time, level, message or session id, what happened. */
export function textFormatter({ colors }: { colors: boolean }): LineFormatter {
  const localTime = cachedByTime(formatLocalTime, 1000);
  const paint = (color: string | undefined, text: string): string =>
    colors && color !== undefined ? `${color}${text}${PLAIN}` : text;
  return (record) => {
    const { level, timestamp } = record;
    const fraction = String(timestamp % 1000).padStart(3, "0");
    const id = record instanceof EventRecord ? idOf(record.event) : "";
    const text = record instanceof EventRecord
      ? describe(record.event)
      : escapeControls(`${record.category.join(".")}: ${messageText(record)}`);
    return paint(DIM, `${localTime(timestamp)}.${fraction}`) +
      ` ${paint(COLORS[level], LEVEL_WORDS[level] ?? level)} ` +
      (id === "" ? "" : `${paint(CYAN, id)} `) + text;
  };
}

function idOf(event: RelayEvent): string {
  if ("messageId" in event) return event.messageId ?? "";
  return "sessionId" in event ? event.sessionId : "";
}

function messageText({ message }: LogRecord): string {
  return message.map((part) => typeof part === "string" ? part : describeCause(part)).join("");
}

function formatLocalTime(timeMs: number): string {
  const time = new Date(timeMs);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Remembers the text of the last time, at this granularity. */
function cachedByTime(
  format: (timeMs: number) => string,
  granularityMs: number,
): (timeMs: number) => string {
  let last = NaN;
  let text = "";
  return (timeMs) => {
    const current = Math.floor(timeMs / granularityMs);
    if (current !== last) {
      last = current;
      text = format(timeMs);
    }
    return text;
  };
}
