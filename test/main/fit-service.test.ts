import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { FitBook } from '../../src/library/fit/fit-book.ts';
import { FitService } from '../../src/main/fit-service.ts';
import type { EngineClient } from '../../src/main/processes/engine-client.ts';
import { settingsSchema } from '../../src/shared/domain/settings.ts';
import { createScriptedWorkers } from '../support/scripted-worker.ts';
import { temporaryFolder } from './support/storage.ts';

it('what happened is kept, but for the first picture of an opening, which is slow for its own reasons', async () => {
  const book = new FitBook(path.join(temporaryFolder(), 'fit.json'));
  const about = { folder: '/m/small', provider: 'cpu', bytesOnDisk: 100 } as const;
  book.keep({
    ...{ ...about, at: 1 },
    measured: {
      ...{ openSeconds: 1, tokensPerSecond: 50, promptTokensPerSecond: 500, othersShare: 0 },
      drawing: { secondsPerStep: 0.1, secondsBeside: 2 },
      ...{ talkingBytes: 400e6, drawingBytes: 500e6 },
    },
  });
  let opening = 1.5;
  let seconds = 9;
  const service = new FitService({
    ...{ book, clock: systemClock, log: silentLogger, modelsFolders: [] },
    spawn: () => {
      throw new Error('No process is started here.');
    },
    settings: () => settingsSchema.parse({}),
    engine: () => ({
      ...{ state: 'ready', reason: null, restartInMs: null, crashes: 0 },
      model: {
        ...{ name: 'Small', folder: about.folder, canDraw: true, maxSequenceLength: 2048 },
        ...{ providers: { provider: 'cpu', fallbacks: [] }, seconds: opening },
      },
    }),
  });
  const engine: EngineClient = {
    whenReady: async () => undefined,
    modelName: () => 'Small',
    request: async () => ({ seconds, recipe: { steps: 40 } }) as never,
  };
  const draw = async (took: number): Promise<number> => {
    seconds = took;
    await service.watch(engine).request('draw', {} as never);
    return book.on('cpu')[0]?.observations.length ?? 0;
  };
  expect([await draw(9), await draw(6), await draw(6.1)]).toEqual([0, 1, 2]);
  opening = 1.6;
  expect([await draw(9), await draw(6)]).toEqual([2, 3]);
  expect(book.on('cpu')[0]?.observations.map(({ happened }) => happened)).toEqual([6, 6.1, 6]);
});

it('the models are inspected once, however often they are looked at, until they are others', async () => {
  const folder = temporaryFolder();
  const manifest = path.join(folder, 'one', 'textbind.json');
  mkdirSync(path.dirname(manifest));
  writeFileSync(manifest, '{}');
  const { spawn } = createScriptedWorkers(0);
  let started = 0;
  let away: string[] = [];
  const service = new FitService({
    ...{ book: new FitBook(path.join(folder, 'fit.json')), clock: systemClock, log: silentLogger },
    modelsFolders: [{ folder, embedded: false }],
    away: async () => away,
    spawn: () => {
      started += 1;
      return spawn();
    },
    settings: () => settingsSchema.parse({}),
    engine: () => ({
      ...{ state: 'ready', reason: null, restartInMs: null, crashes: 0, model: null },
    }),
  });
  const startedAfter = async (change: () => void): Promise<number> => {
    change();
    const lists = await Promise.all([service.list(), service.list()]);
    await service.list();
    expect(lists[0]).toEqual(lists[1]);
    return started;
  };
  const counts = [
    await startedAfter(() => undefined),
    await startedAfter(() => undefined),
    await startedAfter(() => utimesSync(manifest, 1, 1)),
    await startedAfter(() => (away = ['/drive/language'])),
    await startedAfter(() => service.forget()),
    await startedAfter(() => rmSync(path.dirname(manifest), { recursive: true })),
  ];
  expect(counts).toEqual([1, 1, 2, 3, 4, 5]);
});

it('a process that dies over an inspection is not remembered', async () => {
  const workers = createScriptedWorkers(0);
  let dies = true;
  const service = new FitService({
    ...{ book: new FitBook(path.join(temporaryFolder(), 'fit.json')), clock: systemClock },
    ...{ log: silentLogger, modelsFolders: [] },
    spawn: () => {
      const child = workers.spawn();
      if (dies) child.kill('SIGKILL');
      return child;
    },
    settings: () => settingsSchema.parse({}),
    engine: () => ({
      ...{ state: 'ready', reason: null, restartInMs: null, crashes: 0, model: null },
    }),
  });
  await expect(service.list()).rejects.toMatchObject({ kind: 'worker-crashed' });
  dies = false;
  expect(await service.list()).toBeInstanceOf(Array);
});
