/** Something that ends a timer. */
export interface Timer {
  cancel(): void;
}

/** Time as main's modules see it, so that a test can hold it. Milliseconds. */
export interface Clock {
  now(): number;
  after(delayMs: number, callback: () => void): Timer;
}

/** The machine's own time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
