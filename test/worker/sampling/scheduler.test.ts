import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/shared/errors.ts';
import {
  parseScheduler,
  readScheduler,
} from '../../../src/worker/pipelines/drawing/scheduler-config.ts';
import { eulerScheduler } from '../../../src/worker/sampling/euler.ts';
import {
  baseSteps,
  guide,
  refinerSteps,
  type Scheduler,
} from '../../../src/worker/sampling/scheduler.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Case {
  readonly config: Record<string, unknown>;
  readonly steps: number;
  readonly timesteps: number[];
  readonly sigmas?: number[];
  readonly initNoiseSigma: number;
  readonly split: { readonly base: number; readonly refiner: number };
  readonly walk: number[];
  readonly noises?: number[][];
}

/** Largest difference, relative to the reference's largest value. */
function relativeError(ours: Float32Array, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  const scale = Math.max(...theirs.map(Math.abs), 1e-6);
  return Math.max(...theirs.map((value, index) => Math.abs(value - ours[index]!))) / scale;
}

describe.skipIf(noPython !== undefined)(`schedulers equal diffusers' ${noPython ?? ''}`, () => {
  let cases: Case[] = [];
  beforeAll(() => {
    const folder = runPython('schedules.py');
    cases = JSON.parse(readFileSync(join(folder, 'schedules.json'), 'utf8')) as Case[];
  });

  it('has reference cases of every scheduler', () => {
    const names = new Set(cases.map(({ config }) => config['_class_name'] ?? 'none'));
    expect([...names].sort()).toEqual([
      'DPMSolverMultistepScheduler',
      'EulerAncestralDiscreteScheduler',
      'LCMScheduler',
      'none',
    ]);
  });

  it('gives the same timesteps, sigmas, split and final sample in every case', () => {
    for (const reference of cases) {
      const name = JSON.stringify([reference.config, reference.steps]);
      const scheduler = parseScheduler(reference.config, 'config')(reference.steps);
      // zero-SNR: 1 - beta is a difference of nearly equal numbers, in float32 there and float64 here.
      const limit = reference.config['rescale_betas_zero_snr'] === true ? 1e-3 : 1e-5;
      expect(relativeError(scheduler.timesteps, reference.timesteps), name).toBeLessThan(limit);
      const sigmas: unknown = Reflect.get(scheduler, 'sigmas');
      if (reference.sigmas !== undefined) {
        expect(relativeError(sigmas as Float32Array, reference.sigmas), name).toBeLessThan(limit);
      }
      expect(scheduler.initNoiseSigma / reference.initNoiseSigma, name).toBeCloseTo(1, 4);
      expect(baseSteps(scheduler, 0.8).to, name).toBe(reference.split.base);
      const refiner = refinerSteps(scheduler, 0.8);
      expect(refiner.to - refiner.from, name).toBe(reference.split.refiner);
      const walked = walk(scheduler, reference.noises ?? []);
      expect(relativeError(walked, reference.walk), name).toBeLessThan(limit * 10);
    }
  });
});

function walk(scheduler: Scheduler, noises: readonly (readonly number[])[]): Float32Array {
  const drawn = noises.values();
  const noise = () => Float32Array.from(drawn.next().value ?? []);
  let sample: Float32Array = Float32Array.from(
    { length: 8 },
    (_, index) => (-1.5 + (3.5 * index) / 7) * scheduler.initNoiseSigma,
  );
  for (const [index, timestep] of scheduler.timesteps.entries()) {
    const prediction = scheduler
      .modelInput(index, sample)
      .map((value) => 0.3 * value + (0.01 * timestep) / 1000);
    sample = scheduler.step(index, sample, prediction, noise);
  }
  return sample;
}

describe('schedulers', () => {
  const names = [
    'EulerDiscreteScheduler',
    'EulerAncestralDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'LCMScheduler',
  ];

  it.each(names)('%s ends at the picture where each prediction is exact', (name) => {
    const picture = Float32Array.of(0.5, -1, 2);
    const config = { _class_name: name, beta_schedule: 'scaled_linear' };
    const scheduler = parseScheduler(config, 'c')(6);
    let sample = Float32Array.of(1, -0.25, 0.75).map((value) => value * scheduler.initNoiseSigma);
    for (const index of scheduler.timesteps.keys()) {
      // The prediction that means the picture: predictedOriginal is linear in it.
      const at = (value: number) =>
        scheduler.predictedOriginal(
          index,
          sample,
          sample.map(() => value),
        );
      const [zero, one] = [at(0), at(1)];
      const prediction = picture.map((end, i) => (end - zero[i]!) / (one[i]! - zero[i]!));
      const found = scheduler.predictedOriginal(index, sample, prediction);
      found.forEach((value, i) => expect(value).toBeCloseTo(picture[i]!, 3));
      sample = Float32Array.from(
        scheduler.step(index, sample, prediction, () => Float32Array.of(0.3, -0.6, 1.1)),
      );
    }
    sample.forEach((value, i) => expect(Math.abs(value - picture[i]!)).toBeLessThan(2e-3));
  });

  it('refuses a step beyond its last', () => {
    const scheduler = eulerSchedulerOf(3);
    const nothing = new Float32Array(1);
    expect(() => scheduler.step(3, nothing, nothing, () => nothing)).toThrow(RangeError);
  });

  it('guides from the unconditional towards the conditional', () => {
    expect([...guide(Float32Array.of(1, 2), Float32Array.of(2, 0), 5)]).toEqual([6, -8]);
  });
});

function eulerSchedulerOf(steps: number): Scheduler {
  return eulerScheduler(
    {
      num_train_timesteps: 1000,
      beta_start: 0.00085,
      beta_end: 0.012,
      beta_schedule: 'scaled_linear',
      rescale_betas_zero_snr: false,
      timestep_spacing: 'leading',
      steps_offset: 1,
      prediction_type: 'epsilon',
      interpolation_type: 'linear',
      final_sigmas_type: 'zero',
    },
    steps,
  );
}

describe('scheduler_config.json', () => {
  it('ignores fields of other schedulers', () => {
    expect(parseScheduler({ skip_prk_steps: true }, 'f')(2).trainTimesteps).toBe(1000);
  });

  it('is read as Python writes it, infinity and all', () => {
    const file = join(temporaryFolder(), 'scheduler_config.json');
    const text = '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}';
    writeFileSync(file, text);
    expect(readScheduler(file)(4).timesteps).toHaveLength(4);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ use_beta_sigmas: true }, /config\.json: field "use_beta_sigmas" is true/],
    [
      { _class_name: 'DPMSolverMultistepScheduler', algorithm_type: 'sde-dpmsolver++' },
      /field "algorithm_type" is "sde-dpmsolver\+\+"/,
    ],
    [{ _class_name: 'DPMSolverMultistepScheduler', solver_order: 3 }, /"solver_order" is 3/],
    [{ _class_name: 'LCMScheduler', thresholding: true }, /"thresholding" is true/],
    [
      { _class_name: 'LCMScheduler', original_inference_steps: 2000 },
      /"original_inference_steps" is 2000: at most 1000/,
    ],
    [{ _class_name: 'PNDMScheduler' }, /"_class_name" is "PNDMScheduler", which is not supported/],
    [{ _class_name: 'constructor' }, /"constructor", which is not supported/],
  ])('refuses %j, naming file, field and value', (config, message) => {
    const refuse = () => parseScheduler(config, 'scheduler_config.json');
    expect(refuse).toThrow(StudioError);
    expect(refuse).toThrow(message);
  });
});
