/** Ends a reply where one of some words comes; they are not said themselves. */
export class StopWords {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** What may be said now, and whether that was all. */
  push(text: string): { readonly say: string; readonly stops: boolean } {
    this.#held += text;
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      const say = this.#held.slice(0, Math.min(...found));
      this.#held = '';
      return { say, stops: true };
    }
    const kept = this.#openEnd();
    const say = this.#held.slice(0, this.#held.length - kept);
    this.#held = this.#held.slice(this.#held.length - kept);
    return { say, stops: false };
  }

  /** What was held back, at the end or before a picture. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Characters at the end that may become one of the words. */
  #openEnd(): number {
    const longest = Math.max(0, ...this.#stops.map(({ length }) => length - 1));
    for (let count = Math.min(longest, this.#held.length); count > 0; count -= 1) {
      const end = this.#held.slice(-count);
      if (this.#stops.some((stop) => stop.startsWith(end))) return count;
    }
    return 0;
  }
}
