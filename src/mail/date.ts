/**
 * A point in time as the `date-time` of RFC 5322 3.3, always in UTC:
 * `Tue, 01 Jul 2025 09:05:00 +0000`.
 *
 * @param timeMs milliseconds since the Unix epoch; the fraction of a second is dropped.
 */
export function formatDateTime(timeMs: number): string {
  return new Date(timeMs).toUTCString().replace("GMT", "+0000");
}

/** A `formatDateTime` that remembers the last second, for callers that stamp every message. */
export function dateTimeFormatter(): (timeMs: number) => string {
  let lastSecond = NaN;
  let text = "";
  return (timeMs) => {
    const second = Math.floor(timeMs / 1000);
    if (second !== lastSecond) {
      lastSecond = second;
      text = formatDateTime(timeMs);
    }
    return text;
  };
}
