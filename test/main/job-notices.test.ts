import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createJobNotices, longJobMs } from '../../src/main/job-notices.ts';
import { FakeClock } from '../support/fake-clock.ts';

function desktop(isInSight = false) {
  const clock = new FakeClock();
  const shown: string[] = [];
  const tell = createJobNotices({
    clock,
    isInSight: () => isInSight,
    notify: (title) => shown.push(title),
  });
  const reply = (turnId: string, event: object): void => tell('chat.reply', { turnId, event });
  const answer = async (tookMs: number, status = 'complete'): Promise<void> => {
    const id = randomUUID();
    reply(id, { kind: 'begun' });
    clock.advance(tookMs);
    reply(id, { kind: 'text', text: 'x' });
    reply(id, { kind: 'ended', status });
  };
  const run = (state: string): void =>
    tell('runs.changed', { run: { id: 'run', name: 'Cats', state }, removed: false });
  return { clock, shown, answer, run };
}

describe('the desktop is told', () => {
  test('of a long reply that ended out of sight, and of no other', async () => {
    const { shown, answer } = desktop();
    await answer(longJobMs - 1);
    await answer(longJobMs, 'stopped');
    expect(shown).toEqual([]);
    await answer(longJobMs);
    await answer(longJobMs, 'failed');
    expect(shown).toEqual(['The reply is ready', 'The reply was not finished']);
    const seen = desktop(true);
    await seen.answer(longJobMs);
    expect(seen.shown).toEqual([]);
  });

  test('of a training that is done or failed, once', async () => {
    const { clock, shown, run } = desktop();
    for (const state of ['ready', 'starting', 'running']) run(state);
    clock.advance(longJobMs);
    run('running');
    run('finished');
    run('finished');
    expect(shown).toEqual(['The training is done']);
  });
});
