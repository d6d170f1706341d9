/**
 * Recipients and steps of timelines have one integer as their key: the number of the message and
 * a position below 65,536. Such a table grows at its end, page by page, where one with a key of
 * two columns splits and rewrites its last pages all the time.
 */
export const POSITION_BITS = 16;

/** The most recipients of a message. */
export const POSITIONS = 2 ** POSITION_BITS;

/** The key of a position in a message. */
export function keyOf(message: number, position: number): number {
  return message * POSITIONS + position;
}

/** The message of a key. */
export function messageOf(key: number): number {
  return Math.floor(key / POSITIONS);
}

/** The position of a key. */
export function positionOf(key: number): number {
  return key % POSITIONS;
}
