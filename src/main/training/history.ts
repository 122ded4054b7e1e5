import type { RunHistory, RunReplies } from '../../shared/domain/training.ts';
import type { RunEvent } from './event-log.ts';

type StepEvent = Extract<RunEvent, { event: 'step' }>;
type RepliesEvent = Extract<RunEvent, { event: 'replies' }>;
type SamplePrompt = Extract<RunEvent, { event: 'prompts' }>['prompts'][number];
type ValidationEvent = Extract<RunEvent, { event: 'validation' }>;

/** A run's curves. A run that goes on from an earlier step writes the later ones anew: the old ones are dropped. */
export class History {
  #points: StepEvent[] = [];
  #checks: ValidationEvent[] = [];
  /** What is asked from the last `prompts` event on, and answers with what they answer. */
  #prompts: readonly SamplePrompt[] = [];
  #replies: { readonly event: RepliesEvent; readonly prompts: readonly SamplePrompt[] }[] = [];

  add(event: RunEvent): void {
    if (event.event === 'step') this.#points.push(event);
    else if (event.event === 'validation') this.#checks.push(event);
    else if (event.event === 'prompts') this.#prompts = event.prompts;
    else if (event.event === 'replies') this.#answered(event);
    else if (event.event === 'started') this.#goBackTo(event.step);
  }

  /** A run that goes on is asked again where it stands: the same step's answers are replaced. */
  #answered(event: RepliesEvent): void {
    const prompts = this.#prompts;
    this.#replies = this.#replies.filter(({ event: { step } }) => step !== event.step);
    this.#replies.push({ event, prompts });
  }

  #goBackTo(step: number): void {
    const isKept = (event: { readonly step: number }): boolean => event.step <= step;
    this.#points = this.#points.filter(isKept);
    this.#checks = this.#checks.filter(isKept);
    this.#replies = this.#replies.filter(({ event }) => isKept(event));
  }

  /** The answers by what was asked, of at most `most` times, the first and the last among them. */
  replies(most: number): RunReplies {
    const found = new Map<string, RunReplies[number]>();
    for (const { event, prompts } of spread(this.#replies, most)) {
      for (const [index, reply] of event.replies.entries()) {
        const prompt = prompts[index];
        if (prompt === undefined) continue;
        const key = JSON.stringify(prompt);
        if (!found.has(key)) found.set(key, { ...prompt, replies: [] });
        found.get(key)?.replies.push({ ...reply, step: event.step, cutAt: event.cutAt });
      }
    }
    return [...found.values()];
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
      asked: this.#replies.length,
    };
  }
}

/** At most `most` of them, evenly, with the first and the last. */
export function spread<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  const stride = (items.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => items[Math.round(index * stride)]!);
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
  return [...points.slice(0, 1), ...kept.flat(), ...points.slice(-1)];
}

/** The points of lowest and of highest loss, in order; no loss at all (no number) sticks out most. */
function extremes<Point extends { readonly loss: number | null }>(
  points: readonly Point[],
): Point[] {
  const height = (point: Point | undefined): number => point?.loss ?? Number.POSITIVE_INFINITY;
  let [lowest, highest] = [0, 0];
  for (const [index, point] of points.entries()) {
    if (height(point) < height(points[lowest])) lowest = index;
    if (height(point) > height(points[highest])) highest = index;
  }
  const indices = lowest === highest ? [lowest] : [lowest, highest].sort((a, b) => a - b);
  return indices.flatMap((index) => points.slice(index, index + 1));
}
