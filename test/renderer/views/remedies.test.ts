import { expect, it } from 'vitest';
import { remedyOf } from '../../../src/renderer/views/training/remedies.ts';
import type { RunFile } from '../../../src/shared/domain/training.ts';

const file = (over: Record<string, unknown> = {}, stage: 1 | 2 = 2): RunFile => ({
  ...{ stage, model: {}, data: {}, output: '.' },
  ...over,
});

it('lowers a rate that ran away to a third, the table’s where none is set', () => {
  expect(remedyOf('diverged', file({ learningRate: 0.01 }))?.change).toEqual({
    learningRate: 0.0033,
  });
  expect(remedyOf('diverged', file({}, 1))?.change).toEqual({ learningRate: 0.000033 });
});

it('takes less memory step by step, until there is nothing left to give', () => {
  expect(remedyOf('memory', file({ microBatchSize: 5 }))?.change).toEqual({ microBatchSize: 2 });
  expect(remedyOf('killed', file({}, 1))?.change).toEqual({ microBatchSize: 8 });
  const least = file({ microBatchSize: 1 });
  expect(remedyOf('memory', least)?.change).toEqual({ activationCheckpointing: true });
  expect(remedyOf('memory', { ...least, activationCheckpointing: true })).toBeNull();
});

it('keeps fewer checkpoints on a full disk, and leaves bad rows out once', () => {
  expect(remedyOf('disk', file())?.change).toEqual({ keepCheckpoints: 1 });
  expect(remedyOf('disk', file({ keepCheckpoints: 1 }))).toBeNull();
  expect(remedyOf('data', file())?.change).toEqual({ skipBadRows: true });
  expect(remedyOf('data', file({ data: { badRows: 'skip' } }))).toBeNull();
  expect(remedyOf('internal', file())).toBeNull();
});
