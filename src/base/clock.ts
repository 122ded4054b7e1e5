/** Something that ends a timer. */
export interface Timer {
  cancel(): void;
}

/** Time, so that a test can hold it. Milliseconds. */
export interface Clock {
  /** Since the epoch, for what is stored and shown. A person or the network may set it back or forth. */
  now(): number;
  /** Since some moment, never back: for how long something took or has been silent. */
  monotonicMs(): number;
  after(delayMs: number, callback: () => void): Timer;
}

/** The machine's own time. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
