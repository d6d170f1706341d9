const INTEGER = new Intl.NumberFormat("en-US");

/** `12,345`. */
export function count(value: number): string {
  return INTEGER.format(value);
}

/** `1 message`, `12,345 messages`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The same of a count that may have been ended by its time: `more than 12,000 messages`. */
export function countedSoFar(
  { count: number, isComplete }: { readonly count: number; readonly isComplete: boolean },
  one: string,
): string {
  if (isComplete) return counted(number, one);
  return number === 0 ? `${one}s, not counted` : `more than ${counted(number, one)}`;
}
