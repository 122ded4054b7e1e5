import { describe, expect, test } from 'vitest';
import type { EngineStatus } from '../../../src/shared/domain/engine-status.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { Engine, type ModelChoice } from '../../../src/main/processes/engine.ts';
import { createNodeSpawn, until } from '../support/node-spawn.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function makeEngine(traits: readonly string[] = [''], clock = systemClock) {
  const statuses: EngineStatus[] = [];
  const choice: { -readonly [Key in keyof ModelChoice]: ModelChoice[Key] } = {
    folder: '/models/a',
    provider: 'auto',
  };
  const engine = new Engine({
    spawn: createNodeSpawn(traits),
    clock,
    log: silentLogger,
    choice: () => ({ ...choice }),
    onStatus: (status) => statuses.push(status),
  });
  return { engine, statuses, choice };
}

const never = new AbortController().signal;

describe('the engine', () => {
  test('opens the chosen model as soon as the worker is ready', async () => {
    const { engine, statuses } = makeEngine();
    // The window stands before the engine is started, and must not say that it is off.
    expect(engine.status().state).toBe('starting');
    engine.start();
    await engine.whenReady(never);
    expect(statuses.map(({ state }) => state)).toEqual(['starting', 'loading', 'ready']);
    expect(engine.status().model).toMatchObject({ name: 'TextBind mini', folder: '/models/a' });
    expect(engine.modelName()).toBe('TextBind mini');
    await engine.close();
    expect(engine.status()).toMatchObject({ state: 'stopped', model: null });
  });

  test('opens it again after a crash, and whoever waits goes on', async () => {
    const { engine, statuses } = makeEngine();
    engine.start();
    await engine.whenReady(never);
    process.kill(engine.pid()!, 'SIGKILL');
    await until(() => engine.status().state === 'crashed', 'crashed');
    await engine.whenReady(never);
    expect(statuses.map(({ state }) => state)).toEqual([
      'starting',
      'loading',
      'ready',
      'crashed',
      'starting',
      'loading',
      'ready',
    ]);
    await engine.close();
  });

  test('is busy while it draws', async () => {
    const { engine, statuses } = makeEngine();
    engine.start();
    await engine.whenReady(never);
    const drawing = { steps: 1, guidance: 1, negative: '', seed: null, enabled: true };
    await engine.request('draw', { caption: 'x', drawing });
    expect(statuses.map(({ state }) => state).slice(2)).toEqual(['ready', 'busy', 'ready']);
    await engine.close();
  });

  test('opens another model when the choice changes', async () => {
    const { engine, choice } = makeEngine();
    engine.start();
    await engine.whenReady(never);
    choice.folder = '/models/b';
    await engine.openChosen();
    expect(engine.status().model?.folder).toBe('/models/b');
    await engine.close();
  });

  test('opens another model while one is being opened that never will be', async () => {
    const { engine, statuses, choice } = makeEngine();
    choice.folder = '/models/hangs';
    engine.start();
    const waiting = engine.whenReady(never);
    await until(() => engine.status().state === 'loading', 'loading');
    choice.folder = '/models/b';
    await engine.openChosen();
    await waiting;
    expect(engine.status()).toMatchObject({ state: 'ready', model: { folder: '/models/b' } });
    expect(statuses.map(({ crashes }) => crashes).every((crashes) => crashes === 0)).toBe(true);
    await engine.close();
  });

  test('opens another model after one that the engine died of', async () => {
    const clock = new FakeClock();
    const { engine, choice } = makeEngine(['dead', 'dead', 'dead', ''], clock);
    engine.start();
    for (let crash = 1; crash < 3; crash += 1) {
      await until(
        () => engine.status().crashes === crash && engine.status().state === 'crashed',
        'crash',
      );
      clock.advance(60_000);
    }
    await until(() => engine.status().state === 'halted', 'halted');
    choice.folder = '/models/b';
    await engine.openChosen();
    await engine.whenReady(never);
    expect(engine.status().model?.folder).toBe('/models/b');
    await engine.close();
  });

  test('who waits is told when the engine is halted, and when they stop waiting', async () => {
    const clock = new FakeClock();
    const { engine } = makeEngine(['dead'], clock);
    engine.start();
    const waiting = engine.whenReady(never);
    const controller = new AbortController();
    const impatient = engine.whenReady(controller.signal);
    controller.abort();
    await expect(impatient).rejects.toMatchObject({ kind: 'cancelled' });
    const outcome = expect(waiting).rejects.toMatchObject({
      kind: 'worker-crashed',
      message: expect.stringContaining('libdead.so') as unknown,
    });
    for (let crash = 1; crash < 3; crash += 1) {
      await until(
        () => engine.status().crashes === crash && engine.status().state === 'crashed',
        'crash',
      );
      clock.advance(60_000);
    }
    await outcome;
    await expect(engine.whenReady(never)).rejects.toMatchObject({ kind: 'worker-crashed' });
    await engine.close();
  });

  test('a worker that talks nonsense is heard no less', async () => {
    const { engine } = makeEngine(['liar']);
    engine.start();
    await engine.whenReady(never);
    await expect(engine.request('memory', null)).rejects.toMatchObject({ kind: 'internal' });
    await expect(engine.request('ping', null)).resolves.toBeNull();
    await engine.close();
  });
});
