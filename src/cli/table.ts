import type { Style } from "./style.ts";
import { cut, pad, widthOf } from "./text.ts";

/** One column of a table. */
export interface Column<Row> {
  readonly header: string;
  /** The plain text of the cell, without line ends or control characters. */
  readonly cell: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Columns that may be cut when the terminal is narrow, and how far; others keep their width. */
  readonly minWidth?: number;
  /** Left out where the terminal is too narrow for all: the column with the largest number first. */
  readonly leaves?: number;
  /** Marks the padded cell. */
  readonly mark?: (text: string, row: Row) => string;
}

const GAP = "  ";

/**
 * Lays rows out in columns. On a terminal of `width` columns those that may be left out are, until
 * the others could fit, and then the widest cells that may shrink are cut until each row does;
 * elsewhere nothing is cut.
 */
export function formatTable<Row>(
  rows: readonly Row[],
  { columns: all, width, style }: {
    columns: readonly Column<Row>[];
    width: number;
    style: Style;
  },
): string {
  const columns = kept(all, { rows, width });
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = fitted(columns, { cells, width });
  const header = columns.map(({ header, align }, index) =>
    pad(cut(header, widths[index] ?? 0), widths[index] ?? 0, align)
  );
  const lines = [style.dim(header.join(GAP).trimEnd())];
  for (const [rowIndex, row] of rows.entries()) {
    const texts = columns.map(({ align, mark = (text) => text }, index) => {
      const columnWidth = widths[index] ?? 0;
      const isLast = index === columns.length - 1 && align !== "right";
      const text = cut(cells[rowIndex]?.[index] ?? "", columnWidth);
      return mark(isLast ? text : pad(text, columnWidth, align), row);
    });
    lines.push(texts.join(GAP).trimEnd());
  }
  return `${lines.join("\n")}\n`;
}

/** The columns that stay when those that may be left out are, until the others could fit. */
function kept<Row>(
  columns: readonly Column<Row>[],
  { rows, width }: { rows: readonly Row[]; width: number },
): readonly Column<Row>[] {
  const least = columns.map(({ header, cell, minWidth }) => {
    const widest = rows.reduce((most, row) => Math.max(most, widthOf(cell(row))), widthOf(header));
    return Math.min(widest, Math.max(minWidth ?? widest, widthOf(header)));
  });
  const order = columns.map(({ leaves }, index) => ({ leaves, index }))
    .filter(({ leaves }) => leaves !== undefined)
    .sort((a, b) => (b.leaves ?? 0) - (a.leaves ?? 0));
  const left = new Set<number>();
  const needed = (): number =>
    least.reduce(
      (sum, each, index) => left.has(index) ? sum : sum + each + GAP.length,
      -GAP.length,
    );
  for (const { index } of order) {
    if (needed() <= width) break;
    left.add(index);
  }
  return columns.filter((_, index) => !left.has(index));
}

/** The width of each column: its widest cell, shrunk where the terminal asks for it. */
function fitted<Row>(
  columns: readonly Column<Row>[],
  { cells, width }: { cells: readonly (readonly string[])[]; width: number },
): number[] {
  const widths = columns.map(({ header }, index) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[index] ?? "")), widthOf(header))
  );
  const gaps = GAP.length * (columns.length - 1);
  let excess = widths.reduce((sum, columnWidth) => sum + columnWidth, gaps) - width;
  while (excess > 0) {
    const widest = widestShrinkable(columns, widths);
    if (widest === null) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

function widestShrinkable<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
): number | null {
  let widest: number | null = null;
  for (const [index, { minWidth }] of columns.entries()) {
    const columnWidth = widths[index] ?? 0;
    if (minWidth === undefined || columnWidth <= minWidth) continue;
    if (widest === null || columnWidth > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}
