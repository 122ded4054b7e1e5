/** Dimensions as numbers, once their symbols are. */
import type { Dim } from './dim.ts';
import { GraphError } from './graph-error.ts';

/** What the symbols of a graph's shapes stand for. */
export type Sizes = Readonly<Record<string, number>>;

/**
 * The number that a dimension is: `4*height+1`, `(a)*(b)` and `floor((a)/2)` are all that dim.ts writes.
 *
 * @throws GraphError for a symbol without a size
 */
export function evaluateDim(dim: Dim, sizes: Sizes): number {
  if (typeof dim === 'number') return dim;
  return new Reader(dim, sizes).read();
}

class Reader {
  readonly #text: string;
  readonly #sizes: Sizes;
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string, sizes: Sizes) {
    this.#text = text;
    this.#sizes = sizes;
    this.#tokens = text.match(/\d+|\w+|[-+*/()]/g) ?? [];
  }

  read(): number {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) throw this.#unreadable();
    return value;
  }

  #sum(): number {
    let value = this.#take('-') ? -this.#product() : this.#product();
    for (;;) {
      if (this.#take('+')) value += this.#product();
      else if (this.#take('-')) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#single();
    for (;;) {
      if (this.#take('*')) value *= this.#single();
      else if (this.#take('/')) value /= this.#single();
      else return value;
    }
  }

  #single(): number {
    const token = this.#tokens[this.#at];
    this.#at += 1;
    if (token === undefined) throw this.#unreadable();
    if (/^\d/.test(token)) return Number(token);
    if (token === 'floor') return Math.floor(this.#single());
    if (token === '(') {
      const value = this.#sum();
      if (!this.#take(')')) throw this.#unreadable();
      return value;
    }
    const size = this.#sizes[token];
    if (size === undefined) {
      throw new GraphError(`the size of "${token}" in the dimension ${this.#text} is not known`);
    }
    return size;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #unreadable(): GraphError {
    return new GraphError(`the dimension ${this.#text} cannot be read`);
  }
}
