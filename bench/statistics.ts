/** What is said of a series of measured values, in the values' own unit. */
export interface Summary {
  readonly runs: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value; of an even number, the mean of the two in the middle. Not defined for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('the median of no values was asked for');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = Math.floor(sorted.length / 2);
  const high = sorted[upper]!;
  return sorted.length % 2 === 1 ? high : (sorted[upper - 1]! + high) / 2;
}

/** The value that this share of all (0 to 1) is not above. Not defined for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new Error('a percentile of no values was asked for');
  return found;
}

/** Median and spread of a series that is not empty. */
export function summarise(values: readonly number[]): Summary {
  return {
    runs: values.length,
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
  };
}

/**
 * Quotients of two series measured in turns, round by round: what slowed the machine in one round falls on both of
 * its values, so it cancels here and does not in a quotient of medians.
 */
export function pairedRatios(above: readonly number[], below: readonly number[]): number[] {
  if (above.length !== below.length) {
    throw new Error(`${above.length} rounds of one side, ${below.length} of the other`);
  }
  return above.map((value, round) => value / below[round]!);
}

/** The order of `count` peers in a round: forwards, then backwards, so that none always comes first. */
export function orderOfRound(count: number, round: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  return round % 2 === 0 ? order : order.reverse();
}

/**
 * Measures peers in turns (A B, B A, A B ...).
 * @returns each peer's values, by round
 */
export async function interleave<Result>(
  rounds: number,
  peers: readonly ((round: number) => Promise<Result>)[],
): Promise<Result[][]> {
  const results: Result[][] = peers.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const index of orderOfRound(peers.length, round)) {
      results[index]!.push(await peers[index]!(round));
    }
  }
  return results;
}
