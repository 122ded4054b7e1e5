/** Random choices that a seed fixes, for tests over many inputs. */
export interface RandomSource {
  /** A whole number from 0 to `limit` - 1; 0 where that leaves nothing to choose. */
  below(limit: number): number;
  pick<Value>(values: readonly [Value, ...Value[]] | readonly Value[]): Value;
}

/** mulberry32: small, and good enough to vary inputs. */
export function randomSource(seed: number): RandomSource {
  let state = (seed + 1) * 0x9e3779b9;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return {
    below,
    pick: <Value>(values: readonly Value[]): Value => {
      if (values.length === 0) throw new Error('There is nothing to pick from');
      return values[below(values.length)]!;
    },
  };
}
