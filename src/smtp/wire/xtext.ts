/** Whether `text` is xtext. */
export function isXtext(text: string): boolean {
  return /^([!-*,-<>-~]|\+[0-9A-F]{2})*$/.test(text);
}
