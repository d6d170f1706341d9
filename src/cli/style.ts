import type { CliIo } from "./io.ts";

/** Marks text for a terminal. Without colours each function returns its text as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** The style of a stream: colours only on a terminal, and not against the user's wish. */
export function styleOf(io: CliIo, stream: "stdout" | "stderr" = "stdout"): Style {
  // NO_COLOR counts when it is there and not empty (no-color.org).
  const isPlain = !io.terminal[stream] || Boolean(io.env("NO_COLOR")) || io.env("TERM") === "dumb";
  const mark = (open: number, close: number) => (text: string): string =>
    isPlain || text === "" ? text : `\x1b[${open}m${text}\x1b[${close}m`;
  return {
    bold: mark(1, 22),
    dim: mark(2, 22),
    red: mark(31, 39),
    green: mark(32, 39),
    yellow: mark(33, 39),
    cyan: mark(36, 39),
  };
}
