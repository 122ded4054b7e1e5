// What a plan comes to in the trainer's words.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runFileOf } from '../../../src/main/training/run-file.ts';
import type { Dataset, RunPlan } from '../../../src/shared/domain/training.ts';
import { temporaryFolder } from './scripted.ts';

const dataset = (place: string, over: Partial<Dataset> = {}): Dataset => ({
  ...{ id: crypto.randomUUID(), name: place, stage: 2, path: place, images: null, createdAt: 0 },
  ...{ isOwn: false, skipsBadRows: false, checked: null, working: null, fault: null },
  ...over,
});

const plan = (stage: 1 | 2): RunPlan => ({
  ...{ name: 'x', stage, source: { kind: 'model', folder: '/m', fresh: false }, blend: [] },
  ...{ datasetId: crypto.randomUUID(), validationId: null, restsEngine: false },
  settings: {
    ...{ steps: 1, epochs: null, batchSize: null, microBatchSize: null, learningRate: null },
    ...{ warmupSteps: null, maxLength: null, seed: 0, precision: 'auto', threads: null },
    ...{
      loraRank: null,
      loraBits: null,
      offload: false,
      activationCheckpointing: false,
      ...{ optimizer: 'adam', reports: [] },
      keepFeatures: false,
      processes: 1,
    },
    ...{ sharding: 'none', checkpointEvery: 1, keepCheckpoints: 1, validateEvery: 1, logEvery: 1 },
    samples: null,
  },
});
const dataOf = (stage: 1 | 2, data: Parameters<typeof runFileOf>[1]) =>
  runFileOf(plan(stage), data, '/features').data;

it('one data set is named as it is; a blend by parts with their weights and pictures', () => {
  const [one, other] = [dataset('/a.json'), dataset('/b.json', { images: '/pictures' })];
  expect(dataOf(2, { training: one, validation: other })).toEqual({
    ...{ conversations: '/a.json', badRows: 'stop' },
    validation: [{ path: '/b.json', images: '/pictures', weight: 1 }],
  });
  const skipping = { ...other, skipsBadRows: true };
  const blend = [{ dataset: skipping, weight: 0.5 }];
  expect(dataOf(2, { training: one, validation: null, blend })).toEqual({
    conversations: [
      { path: '/a.json', weight: 1 },
      { path: '/b.json', images: '/pictures', weight: 0.5 },
    ],
    badRows: 'skip',
  });
  const wrong = [{ dataset: dataset('/c.csv', { stage: 1 }), weight: 1 }];
  expect(() => dataOf(2, { training: one, validation: null, blend: wrong })).toThrow(/stage 1/);
});

it('stage 1 takes tars as tars and everything else as pairs', () => {
  const folder = temporaryFolder();
  const stage1 = (place: string) => dataset(place, { stage: 1 });
  for (const name of ['b.tar', 'a.tar']) writeFileSync(path.join(folder, name), '');
  const table = stage1('/captions.csv');
  expect(dataOf(1, { training: stage1(folder), validation: table })).toEqual({
    tars: [path.join(folder, 'a.tar'), path.join(folder, 'b.tar')],
    validationPairs: [{ path: '/captions.csv', weight: 1 }],
  });
  expect(dataOf(1, { training: table, validation: stage1('/held.tar') })).toEqual({
    ...{ pairs: [{ path: '/captions.csv', weight: 1 }], validationTars: '/held.tar' },
  });
  const blend = [{ dataset: stage1('/x.tar'), weight: 2 }];
  expect(dataOf(1, { training: table, validation: null, blend })).toEqual({
    pairs: [
      { path: '/captions.csv', weight: 1 },
      { path: '/x.tar', weight: 2 },
    ],
  });
});

it('writes adapters in four bits, and asks nothing where nobody could answer', () => {
  const one = dataset('/a.json');
  const ask = { prompts: [{ text: 'Hello', images: [] }], heldBack: 2, maxTokens: 8 };
  const of = (change: Partial<RunPlan['settings']>, validation: Dataset | null = null) => {
    const planned = plan(2);
    const changed = { ...planned, settings: { ...planned.settings, ...change } };
    return runFileOf(changed, { training: one, validation }, '/features');
  };
  expect(of({ loraRank: 8, loraBits: 4 })['lora']).toEqual({ rank: 8, bits: 4 });
  expect(of({ loraRank: 8 })['lora']).toEqual({ rank: 8 });
  expect(of({ samples: ask }).samples).toEqual(ask);
  // Only held-back rows, and none are held back.
  const heldBack = { ...ask, prompts: [] };
  expect(of({ samples: heldBack }).samples).toBeUndefined();
  expect(of({ samples: heldBack }, one).samples).toEqual(heldBack);
  // Shards answer together.
  const shards = of({ samples: ask, sharding: 'fsdp', processes: 2, offload: true });
  expect(shards).toMatchObject({ sharding: 'fsdp', offload: true, samples: ask });
  expect(of({ offload: true })['offload']).toBe(false);
  expect(of({ sharding: 'fsdp' })['sharding']).toBe('none');
  // What is usual is left to the trainer, and so is what it knows of shards.
  expect(of({})).not.toHaveProperty('optimizer');
  expect(of({})).not.toHaveProperty('reports');
  const small = of({ optimizer: 'pagedAdam8bit', reports: ['tensorboard'] });
  expect(small).toMatchObject({ optimizer: 'pagedAdam8bit', reports: ['tensorboard'] });
  expect(of({ optimizer: 'adam8bit', sharding: 'fsdp', processes: 2 })).not.toHaveProperty(
    'optimizer',
  );
});
