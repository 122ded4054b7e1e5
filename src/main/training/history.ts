import type { RunHistory } from '../../shared/domain/training.ts';
import type { RunEvent } from './event-log.ts';

type StepEvent = Extract<RunEvent, { event: 'step' }>;
type ValidationEvent = Extract<RunEvent, { event: 'validation' }>;

/** A run's curves. A run that goes on from an earlier step writes the later ones anew: the old ones are dropped. */
export class History {
  #points: StepEvent[] = [];
  #checks: ValidationEvent[] = [];

  add(event: RunEvent): void {
    if (event.event === 'step') this.#points.push(event);
    else if (event.event === 'validation') this.#checks.push(event);
    else if (event.event === 'started') this.#goBackTo(event.step);
  }

  #goBackTo(step: number): void {
    const isKept = (event: { readonly step: number }): boolean => event.step <= step;
    this.#points = this.#points.filter(isKept);
    this.#checks = this.#checks.filter(isKept);
  }

  lastValidation(): number | null {
    return this.#checks.at(-1)?.loss ?? null;
  }

  /** The curves in at most about `most` points. */
  columns(most: number): RunHistory {
    const kept = thin(this.#points, most);
    const checks = thin(this.#checks, most);
    return {
      steps: kept.map(({ step }) => step),
      loss: kept.map(({ loss }) => loss),
      learningRate: kept.map(({ lr }) => lr),
      gradientNorm: kept.map(({ gradientNorm }) => gradientNorm),
      tokensPerSecond: kept.map(({ tokensPerSecond }) => tokensPerSecond),
      memoryBytes: kept.map(({ memoryBytes }) => memoryBytes),
      validationSteps: checks.map(({ step }) => step),
      validationLoss: checks.map(({ loss }) => loss),
      points: this.#points.length,
    };
  }
}

/** Of each stretch its lowest and its highest loss, in order: what sticks out is not smoothed away. First and last stay. */
export function thin<Point extends { readonly loss: number | null }>(
  points: readonly Point[],
  most: number,
): readonly Point[] {
  if (points.length <= most) return points;
  const inner = points.slice(1, -1);
  const stretches = Math.max(1, Math.floor((most - 2) / 2));
  const kept = Array.from({ length: stretches }, (_, number) => {
    const from = Math.floor((number * inner.length) / stretches);
    return extremes(inner.slice(from, Math.floor(((number + 1) * inner.length) / stretches)));
  });
  return [points[0]!, ...kept.flat(), points.at(-1)!];
}

/** The points of lowest and of highest loss, in order; no loss at all (no number) sticks out most. */
function extremes<Point extends { readonly loss: number | null }>(
  points: readonly Point[],
): Point[] {
  const height = ({ loss }: Point): number => loss ?? Number.POSITIVE_INFINITY;
  let [lowest, highest] = [0, 0];
  for (const [index, point] of points.entries()) {
    if (height(point) < height(points[lowest]!)) lowest = index;
    if (height(point) > height(points[highest]!)) highest = index;
  }
  const indices = lowest === highest ? [lowest] : [lowest, highest].sort((a, b) => a - b);
  return indices.flatMap((index) => points.slice(index, index + 1));
}
