import { isTable } from "./references.ts";

type Table = Readonly<Record<string, unknown>>;

/**
 * Writes plain values as a TOML document: values first, then `[tables]` and `[[lists of tables]]`.
 * A table of one plain value, such as a reference, stands on one line.
 */
export function printToml(root: Table): string {
  return new Printer().document(root);
}

class Printer {
  readonly #lines: string[] = [];

  document(root: Table): string {
    this.#table(root, []);
    return `${this.#lines.join("\n")}\n`;
  }

  #table(table: Table, path: readonly string[]): void {
    const entries = Object.entries(table).filter(([, value]) => value !== undefined);
    for (const [key, value] of entries) {
      if (isLine(value)) this.#lines.push(`${keyText(key)} = ${valueText(value)}`);
    }
    for (const [key, value] of entries) {
      if (!isLine(value)) this.#section(value, [...path, key]);
    }
  }

  #section(value: unknown, path: readonly string[]): void {
    const name = path.map(keyText).join(".");
    if (Array.isArray(value)) {
      for (const element of value) {
        this.#heading(`[[${name}]]`);
        this.#table(element, path);
      }
    } else if (isTable(value)) {
      const hasLines = Object.values(value).some(isLine) || Object.keys(value).length === 0;
      if (hasLines) this.#heading(`[${name}]`);
      this.#table(value, path);
    }
  }

  #heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push("");
    this.#lines.push(text);
  }
}

/** Whether a value stands on the line of its key: all but tables and lists of tables. */
function isLine(value: unknown): boolean {
  if (Array.isArray(value)) return !value.some((element) => isTable(element) && !isShort(element));
  return !isTable(value) || isShort(value);
}

/** References, and most matches of routes, read best on one line. */
function isShort(table: Table): boolean {
  const values = Object.values(table);
  return values.length <= 1 && values.every((value) => !isTable(value));
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (!isTable(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, part]) => `${keyText(key)} = ${valueText(part)}`);
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

function keyText(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}
