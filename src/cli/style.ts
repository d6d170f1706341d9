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

/** Whether a stream takes colours: only a terminal does, and not against the user's wish. */
export function hasColors(io: CliIo, stream: "stdout" | "stderr"): boolean {
  // NO_COLOR counts when it is there and not empty (no-color.org).
  return io.terminal[stream] && !io.env("NO_COLOR") && io.env("TERM") !== "dumb";
}

/** The style of a stream. */
export function styleOf(io: CliIo, stream: "stdout" | "stderr" = "stdout"): Style {
  const isPlain = !hasColors(io, stream);
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
