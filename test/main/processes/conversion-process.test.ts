import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import {
  conversionIdleMs,
  ConversionProcess,
} from '../../../src/main/processes/conversion-process.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createWorkerSpawn } from '../support/node-spawn.ts';

describe('the process that reads models', () => {
  test('answers what is asked while it is being ended, by the next one', async () => {
    const clock = new FakeClock();
    const spawn = createWorkerSpawn();
    const models = new ConversionProcess({ spawn, clock, log: silentLogger });
    const ask = async () => {
      const { found } = await models.ask('models.recognise', { places: [import.meta.filename] });
      return found.map(({ kind }) => kind);
    };
    expect(await ask()).toEqual(['unknown']);
    clock.advance(conversionIdleMs);
    expect(await Promise.all([ask(), ask()])).toEqual([['unknown'], ['unknown']]);
    expect(spawn.children).toHaveLength(2);
    await models.close();
  });
});
