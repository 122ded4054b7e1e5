/** How fast it goes, over the last seconds: what comes in bursts is shown as it is felt. */
const windowMs = 10_000;
const leastMs = 1000;

export class Speed {
  #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** @param at milliseconds that never run back @param bytes all that has come by then */
  note(at: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // What was thrown away again was no speed.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    if (last === undefined || at - last.at >= 100) this.#samples.push({ at, bytes });
    while ((this.#samples[1]?.at ?? at) < at - windowMs) this.#samples.shift();
  }

  /** Bytes a second; null where it is too early to say. */
  perSecond(at: number): number | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || at - first.at < leastMs) return null;
    return ((last.bytes - first.bytes) * 1000) / (at - first.at);
  }

  forget(): void {
    this.#samples = [];
  }
}
