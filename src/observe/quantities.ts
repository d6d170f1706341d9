const SIZE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A size for people: `512 B`, `2.0 KiB`, `31 MiB`. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes;
  let step = 0;
  while (value >= 1024 && step < SIZE_UNITS.length - 1) {
    value /= 1024;
    step++;
  }
  return `${step === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${SIZE_UNITS[step]}`;
}

const DURATION_UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

/** A length of time for people, in its two largest units: `35 ms`, `2 min 5 s`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const wholeMs = Math.max(0, Math.round(durationMs));
  const first = DURATION_UNITS.findIndex(([, unitMs]) => wholeMs >= unitMs);
  const [unit, unitMs] = DURATION_UNITS[first] ?? ["ms", 1];
  if (unit === "ms") return `${wholeMs} ms`;
  if (unit === "s") return `${(wholeMs / 1000).toFixed(1)} s`;
  const [nextUnit, nextUnitMs] = DURATION_UNITS[first + 1] ?? ["ms", 1];
  const rest = Math.floor((wholeMs % unitMs) / nextUnitMs);
  const whole = `${Math.floor(wholeMs / unitMs)} ${unit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${nextUnit}`;
}

/** How often something happens: `12 a minute`, what is rarer by the hour. */
export function formatPace(perMinute: number): string {
  return perMinute >= 1
    ? `${Math.round(perMinute)} a minute`
    : `${Math.max(1, Math.round(perMinute * 60))} an hour`;
}
