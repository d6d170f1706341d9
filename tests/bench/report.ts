import type { Figures } from "./figures.ts";

/** The figures of one measurement, by contender. */
export interface Section {
  readonly title: string;
  readonly figures: Readonly<Record<string, Figures>>;
}

/** Lays sections out as text; the ratio of the first two contenders stands behind their figures. */
export function formatSections(sections: readonly Section[]): string {
  return sections.map(formatSection).join("\n");
}

function formatSection({ title, figures }: Section): string {
  const names = Object.keys(figures);
  const keys = [...new Set(Object.values(figures).flatMap((each) => Object.keys(each)))];
  const hasRatio = names.length >= 2;
  const columns = hasRatio ? [...names, `${names[0]}/${names[1]}`] : names;
  const rows = keys.map((key) => {
    const values = names.map((name) => figures[name]?.[key] ?? NaN);
    const [first = NaN, second = NaN] = values;
    return [key, ...(hasRatio ? [...values, first / second] : values).map(formatNumber)];
  });
  return formatTable([[title, ...columns], ...rows]);
}

function formatTable(rows: readonly (readonly string[])[]): string {
  return rows.map((row) =>
    row.map((cell, index) => index === 0 ? cell.padEnd(28) : cell.padStart(20)).join("")
  ).join("\n") + "\n";
}

function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
