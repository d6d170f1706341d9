const INTEGER = new Intl.NumberFormat("en-US");

/** `12,345`. */
export function count(value: number): string {
  return INTEGER.format(value);
}

/** `1 message`, `12,345 messages`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
