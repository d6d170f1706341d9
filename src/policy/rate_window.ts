/**
 * A count over the last so many milliseconds, kept in two numbers: what was counted in the current
 * window, and in the one before it, which fades as the current one passes.
 */
export interface RateWindow {
  readonly startMs: number;
  readonly count: number;
  readonly before: number;
}

/** Nothing counted. */
export const EMPTY_WINDOW: RateWindow = { startMs: -Infinity, count: 0, before: 0 };

/** How many of `perMs` are in the window at `nowMs`. */
export function rateOf(
  window: RateWindow,
  { nowMs, perMs }: { nowMs: number; perMs: number },
): number {
  const { startMs, count, before } = movedTo(window, { nowMs, perMs });
  return count + before * (1 - (nowMs - startMs) / perMs);
}

/** The window after one more, or `amount` more. */
export function counted(
  window: RateWindow,
  { nowMs, perMs, amount = 1 }: { nowMs: number; perMs: number; amount?: number },
): RateWindow {
  const moved = movedTo(window, { nowMs, perMs });
  return { ...moved, count: moved.count + amount };
}

function movedTo(
  window: RateWindow,
  { nowMs, perMs }: { nowMs: number; perMs: number },
): RateWindow {
  const startMs = Math.floor(nowMs / perMs) * perMs;
  if (startMs === window.startMs) return window;
  const isNext = startMs - window.startMs === perMs;
  return { startMs, count: 0, before: isNext ? window.count : 0 };
}
