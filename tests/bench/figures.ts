/** Figures by name; the unit is in the name. */
export type Figures = Readonly<Record<string, number>>;

/** A message with a header section, lines of 64 octets and this size. */
export function messageBody(
  sizeBytes: number,
  { fields = "", endsWithDot = false }: {
    fields?: string;
    /** Whether the final dot is behind it; no line begins with a dot. */
    endsWithDot?: boolean;
  } = {},
): Uint8Array<ArrayBuffer> {
  const head = `From: <a@source.test>\r\nTo: <b@sink.test>\r\nSubject: load\r\n${fields}\r\n`;
  const line = `${"x".repeat(62)}\r\n`;
  const lines = Math.ceil((sizeBytes - head.length) / line.length);
  const end = endsWithDot ? ".\r\n" : "";
  return new TextEncoder().encode(head + line.repeat(lines) + end);
}

/** The value below which `share` of the values are; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
