import type { z } from "zod";
import { oneOf, table } from "../fields.ts";

/** The least severity that is logged. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** What is logged and how it looks. */
export interface LogConfig {
  readonly level: LogLevel;
  /** `auto` is text on a terminal and JSON otherwise. */
  readonly format: "auto" | "text" | "json";
}

/** The `[log]` table. */
export const logSchema = table({
  level: oneOf(["debug", "info", "warning", "error"]).default("info")
    .describe("Least severity that is logged."),
  format: oneOf(["auto", "text", "json"]).default("auto")
    .describe("Format of a log line; auto is text on a terminal and JSON otherwise."),
}).prefault({}).describe("Logging.");

export function logConfig(doc: z.output<typeof logSchema>): LogConfig {
  return { level: doc.level, format: doc.format };
}
