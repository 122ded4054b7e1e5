import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/main/training/event-log.ts';
import { History, thin } from '../../../src/main/training/history.ts';

const step = (at: number, loss: number | null): RunEvent => ({
  ...{ event: 'step', time: at, step: at, steps: 1e6, loss, lr: 0.1, gradientNorm: 1 },
  ...{ tokensPerSecond: 5, etaSeconds: 1, skipped: 0, memoryBytes: null },
});
const started = (at: number): RunEvent => ({
  ...{ event: 'started', time: at, stage: 1, step: at, steps: 1e6, resumed: at > 0 },
  ...{ trainedParameters: 1, device: 'cpu', processes: 1, precision: 'fp32', samplesPerEpoch: 1 },
});

describe('History', () => {
  it('keeps what sticks out of 100,000 steps in 1,000 points, and the first and the last', () => {
    const history = new History();
    for (let at = 1; at <= 100_000; at += 1) history.add(step(at, at === 54_321 ? 99 : 1 / at));
    const { steps, loss, points } = history.columns(1000);
    expect(points).toBe(100_000);
    expect(steps.length).toBeLessThanOrEqual(1000);
    expect(steps.length).toBeGreaterThan(900);
    expect([steps[0], steps.at(-1)]).toEqual([1, 100_000]);
    expect(steps[loss.indexOf(99)]).toBe(54_321);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });

  it('drops what a run that went on from an earlier step does anew', () => {
    const history = new History();
    for (const at of [1, 2, 3, 4, 5]) history.add(step(at, at));
    history.add({ event: 'validation', time: 1, step: 5, loss: 9, perplexity: null });
    history.add(started(2));
    history.add(step(3, 30));
    expect(history.columns(100)).toMatchObject({ steps: [1, 2, 3], loss: [1, 2, 30] });
    expect(history.lastValidation()).toBeNull();
  });

  it('keeps what was answered by what was asked, and what a run that goes on answers anew', () => {
    const history = new History();
    const prompt = (text: string) => ({ text, pictures: [], wanted: null, wantedCaptions: [] });
    const ask = (...texts: string[]): RunEvent => ({
      ...{ event: 'prompts', time: 1, prompts: texts.map(prompt) },
    });
    const answer = (at: number, ...texts: string[]): RunEvent => ({
      ...{ event: 'replies', time: 1, step: at, seconds: 1, cutAt: at === 20 ? 16 : null },
      replies: texts.map((text) => ({ text, captions: [], finished: true })),
    });
    for (const event of [ask('a', 'b'), answer(0, 'a0', 'b0'), answer(10, 'a10', 'b10')]) {
      history.add(event);
    }
    for (const event of [answer(20, 'lost', 'lost'), started(10), ask('b', 'c')])
      history.add(event);
    history.add(answer(10, 'b10 again', 'c10'));
    history.add(answer(20, 'b20', 'c20'));
    const said = history
      .replies(100)
      .map(({ text, replies }) => [text, replies.map((reply) => [reply.step, reply.text])]);
    expect(said).toEqual([
      ['a', [[0, 'a0']]],
      [
        'b',
        [
          [0, 'b0'],
          [10, 'b10 again'],
          [20, 'b20'],
        ],
      ],
      [
        'c',
        [
          [10, 'c10'],
          [20, 'c20'],
        ],
      ],
    ]);
    const cut = history.replies(100).map(({ replies }) => replies.map(({ cutAt }) => cutAt));
    expect(cut).toEqual([[null], [null, null, 16], [null, 16]]);
    expect(history.columns(10).asked).toBe(3);
    for (let at = 30; at <= 3000; at += 10) history.add(answer(at, 'x', 'y'));
    const few = history.replies(5).find(({ text }) => text === 'c')?.replies;
    expect(few?.length).toBe(4);
    expect(few?.at(-1)?.step).toBe(3000);
  });

  it('leaves few points alone, and counts no number as the highest', () => {
    const points = [1, 2, null, 3, 1, 1, 1, 1, 1, 1].map((loss) => ({ loss }));
    expect(thin(points, 10)).toBe(points);
    expect(thin(points, 6)).toContainEqual({ loss: null });
  });
});
