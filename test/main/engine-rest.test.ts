// Who has the memory while a run is under way.
import { expect, test } from 'vitest';
import { EngineRest } from '../../src/main/engine-rest.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { RunState, RunSummary } from '../../src/shared/domain/training.ts';

function openRest(idle: () => Promise<void> = async () => undefined) {
  const did: string[] = [];
  let reason: string | null = null;
  const engine = {
    get isResting() {
      return reason !== null;
    },
    async rest(because: string) {
      reason = because;
      did.push(`rest ${because.split(' is')[0]}`);
    },
    wake() {
      if (reason !== null) did.push('wake');
      reason = null;
    },
  };
  const rest = new EngineRest({ engine, idle, log: silentLogger });
  return { rest, did, start: () => void (reason = null) };
}

const run = (id: number, state: RunState, restsEngine = true): RunSummary => ({
  ...{ id: `00000000-0000-4000-8000-00000000000${id}`, name: `Run ${id}`, stage: 2, state },
  ...{ createdAt: 0, startedAt: null, heardAt: null, step: 0, steps: null, loss: null },
  ...{ validationLoss: null, etaSeconds: null, progress: null, skippedRows: 0, trouble: null },
  ...{ question: null, device: null, processes: null, restsEngine },
});

test('it rests with the first run that wants its memory and comes back after the last', async () => {
  const { rest, did } = openRest();
  rest.follow(run(1, 'starting'));
  await rest.settled();
  rest.follow(run(1, 'running'));
  rest.follow(run(2, 'starting'));
  rest.follow(run(1, 'finished'));
  await rest.settled();
  expect(did).toEqual(['rest “Run 1”']);
  rest.follow(run(2, 'failed'));
  await rest.settled();
  expect(did).toEqual(['rest “Run 1”', 'wake']);
});

test('a run that does not want it changes nothing; one whose wish is taken back gives it back', async () => {
  const { rest, did } = openRest();
  rest.follow(run(1, 'running', false));
  await rest.settled();
  expect(did).toEqual([]);
  rest.follow(run(1, 'running', true));
  await rest.settled();
  rest.follow(run(1, 'running', false));
  await rest.settled();
  expect(did).toEqual(['rest “Run 1”', 'wake']);
});

test('a reply is said to its end first, and a person who starts it meanwhile is not overruled', async () => {
  let replied = (): void => undefined;
  const { rest, did, start } = openRest(() => new Promise((resolve) => (replied = resolve)));
  rest.follow(run(1, 'starting'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(did).toEqual([]);
  replied();
  await rest.settled();
  start();
  rest.follow(run(1, 'running'));
  rest.follow(run(1, 'finished'));
  await rest.settled();
  expect(did).toEqual(['rest “Run 1”']);
});

test('a run that ended while the reply was still being said leaves it alone', async () => {
  let replied = (): void => undefined;
  const { rest, did } = openRest(() => new Promise((resolve) => (replied = resolve)));
  rest.follow(run(1, 'starting'));
  await new Promise((resolve) => setImmediate(resolve));
  rest.follow(run(1, 'failed'));
  replied();
  await rest.settled();
  expect(did).toEqual([]);
});
