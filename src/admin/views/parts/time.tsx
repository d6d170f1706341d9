/** How a time reads: how long ago, the time of day, or both date and time. */
export type TimeForm = "relative" | "clock" | "full";

/**
 * A point in time. The text is right as it is, in UTC; a script puts it into the viewer's zone and
 * keeps it up to date.
 */
export function Time(
  { atMs, nowMs, form = "relative" }: { atMs: number; nowMs: number; form?: TimeForm },
) {
  const iso = new Date(atMs).toISOString();
  const exact = `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
  return (
    <time dateTime={iso} title={exact} data-time={form}>
      {form === "relative" ? relativeText(atMs - nowMs) : exact}
    </time>
  );
}

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const;

/** `5 min ago`, `in 12 s`, `now`. */
export function relativeText(differenceMs: number): string {
  const seconds = Math.round(Math.abs(differenceMs) / 1000);
  if (seconds < 2) return "now";
  const text = roughly(seconds * 1000);
  return differenceMs < 0 ? `${text} ago` : `in ${text}`;
}

/** A length of time in its largest unit: `5 min`. */
export function roughly(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[3];
  return `${Math.floor(seconds / size)} ${unit}`;
}
