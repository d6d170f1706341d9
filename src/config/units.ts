const DURATION_UNITS = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

const SIZE_UNITS = [
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
] as const;

const SIZE_FACTORS: ReadonlyMap<string, number> = new Map([
  ...SIZE_UNITS.map(([unit, factor]) => [unit.toLowerCase(), factor] as const),
  ["gb", 1000 ** 3],
  ["mb", 1000 ** 2],
  ["kb", 1000],
  ["b", 1],
  ["", 1],
]);

/**
 * Reads a duration such as `90s`, `1h30m` or `4d`: whole or decimal numbers with the units w, d,
 * h, m, s and ms, the largest first; a number alone is seconds. Returns milliseconds, or null for
 * anything else.
 */
export function parseDuration(text: string): number | null {
  const seconds = /^\d+(?:\.\d+)?$/.exec(text);
  if (seconds !== null) return Math.round(Number(text) * 1000);
  const amount = String.raw`(\d+(?:\.\d+)?)`;
  const pattern = DURATION_UNITS.map(([unit]) => `(?:${amount}${unit})?`).join("");
  const parts = new RegExp(`^${pattern}$`).exec(text.replaceAll(" ", ""));
  if (parts === null || parts[0] === "") return null;
  let totalMs = 0;
  DURATION_UNITS.forEach(([, unitMs], index) => totalMs += Number(parts[index + 1] ?? 0) * unitMs);
  return Math.round(totalMs);
}

/** The shortest text that `parseDuration` reads back as `durationMs`: `1h30m`. */
export function formatDuration(durationMs: number): string {
  if (durationMs <= 0) return "0s";
  let text = "";
  let restMs = Math.round(durationMs);
  for (const [unit, unitMs] of DURATION_UNITS) {
    if (unit === "w" && restMs % unitMs !== 0) continue; // 9d is clearer than 1w2d
    const count = Math.floor(restMs / unitMs);
    if (count > 0) text += `${count}${unit}`;
    restMs -= count * unitMs;
  }
  return text;
}

/**
 * Reads a size such as `25MiB`, `64 KiB`, `10MB` (powers of 1000) or `512`. Returns octets, or
 * null for anything else.
 */
export function parseSize(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  const factor = SIZE_FACTORS.get((parts?.[2] ?? "?").toLowerCase());
  return factor === undefined ? null : Math.round(Number(parts?.[1]) * factor);
}

/** The shortest text that `parseSize` reads back as `sizeBytes`: `256KiB`. */
export function formatSize(sizeBytes: number): string {
  const unit = SIZE_UNITS.find(([, factor]) => sizeBytes > 0 && sizeBytes % factor === 0);
  return unit === undefined ? `${sizeBytes}B` : `${sizeBytes / unit[1]}${unit[0]}`;
}

/** The milliseconds of a duration that was validated. Throws Error when it was not. */
export function durationMs(value: string | number): number {
  return validated(parseDuration(String(value)), value);
}

/** The octets of a size that was validated. Throws Error when it was not. */
export function sizeBytes(value: string | number): number {
  return validated(parseSize(String(value)), value);
}

function validated(parsed: number | null, value: string | number): number {
  if (parsed === null) throw new Error(`Cannot read a validated value, got ${value}`);
  return parsed;
}
