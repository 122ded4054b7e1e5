import type { Clock } from '../../src/base/clock.ts';

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #offsetMs = 0;
  #waiting = new Set<Waiting>();

  now(): number {
    return this.#now + this.#offsetMs;
  }

  monotonicMs(): number {
    return this.#now;
  }

  /** A person or the network sets the clock on (or, negative, back); no time passes. */
  set(ms: number): void {
    this.#offsetMs += ms;
  }

  after(delayMs: number, callback: () => void): { cancel(): void } {
    const waiting = { at: this.#now + delayMs, callback };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Moves time on, firing what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#waiting.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }

  /** The machine sleeps: time passes at once, and every timer that fell due fires only then, once. */
  sleep(ms: number): void {
    this.#now += ms;
    const due = [...this.#waiting].filter(({ at }) => at <= this.#now);
    for (const waiting of due) {
      if (this.#waiting.delete(waiting)) waiting.callback();
    }
  }
}
