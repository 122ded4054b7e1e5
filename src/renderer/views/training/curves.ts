/** Lines of a chart, as plain numbers. */

export interface Point {
  readonly step: number;
  readonly value: number;
}

export interface Line {
  readonly title: string;
  /** Step of each point, rising. */
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
  /** A colour of the theme; the accent where there is none. */
  readonly colour?: string;
  readonly dashed?: boolean;
  /** Drawn smooth over what was measured, which stays in sight, faint. */
  readonly smooth?: boolean;
}

/** Points that have a value. */
export function pointsOf({ steps, values }: Pick<Line, 'steps' | 'values'>): readonly Point[] {
  return steps.flatMap((step, index) => {
    const value = values[index];
    return value === null || value === undefined ? [] : [{ step, value }];
  });
}

/**
 * Running average that forgets by a tenth a point, without the pull to zero at its beginning (the correction of Adam's
 * averages, arXiv 1412.6980, section 3).
 */
export function smoothed(points: readonly Point[], keep = 0.9): readonly Point[] {
  let sum = 0;
  let weight = 0;
  return points.map(({ step, value }) => {
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return { step, value: sum / weight };
  });
}

export interface Range {
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

/** What all points lie in. */
export function rangeOf(points: readonly Point[]): Range {
  const range = { first: Infinity, last: -Infinity, low: Infinity, high: -Infinity };
  for (const { step, value } of points) {
    range.first = Math.min(range.first, step);
    range.last = Math.max(range.last, step);
    range.low = Math.min(range.low, value);
    range.high = Math.max(range.high, value);
  }
  return range;
}

/** Index of the point whose step is nearest; -1 where there is none. */
export function nearest(points: readonly Point[], step: number): number {
  let found = -1;
  let least = Infinity;
  for (const [index, point] of points.entries()) {
    const distance = Math.abs(point.step - step);
    if (distance >= least) continue;
    found = index;
    least = distance;
  }
  return found;
}

/** Colours that runs are told apart by, in turn: one hue each, as light as the theme needs. */
export const runColours: readonly string[] = [195, 65, 300, 25, 145, 255].map(
  (hue) => `light-dark(oklch(0.5 0.12 ${hue}), oklch(0.76 0.12 ${hue}))`,
);
