const SPAN_MS = 10_000;

/** How often something happened of late: in the span of ten seconds under way and the one before. */
export class Recent {
  #spanStartMs = -Infinity;
  #count = 0;
  #before = 0;

  add(nowMs: number): void {
    this.#keepTo(nowMs);
    this.#count++;
  }

  /** Times in a millisecond; at least one time is counted. */
  perMs(nowMs: number): number {
    this.#keepTo(nowMs);
    const spanMs = Math.max(1_000, nowMs - this.#spanStartMs + (this.#before > 0 ? SPAN_MS : 0));
    return Math.max(1, this.#count + this.#before) / spanMs;
  }

  #keepTo(nowMs: number): void {
    if (nowMs < this.#spanStartMs) this.#spanStartMs = nowMs; // the clock was set back
    if (nowMs >= this.#spanStartMs + SPAN_MS) this.#turn(nowMs);
  }

  #turn(nowMs: number): void {
    const isNext = nowMs < this.#spanStartMs + 2 * SPAN_MS;
    this.#before = isNext ? this.#count : 0;
    this.#count = 0;
    this.#spanStartMs = isNext ? this.#spanStartMs + SPAN_MS : nowMs;
  }
}
