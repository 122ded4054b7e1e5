import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/shared/errors.ts';
import { parseEulerConfig } from '../../../src/worker/pipelines/drawing/euler-config.ts';
import {
  baseSteps,
  eulerSchedule,
  eulerStep,
  guide,
  predictedOriginal,
  refinerSteps,
  scaleModelInput,
} from '../../../src/worker/sampling/euler.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

interface Case {
  readonly config: Record<string, unknown>;
  readonly steps: number;
  readonly timesteps: number[];
  readonly sigmas: number[];
  readonly initNoiseSigma: number;
  readonly split: { readonly base: number; readonly refiner: number };
  readonly walk: number[];
}

/** Largest difference, relative to the reference's largest value. */
function relativeError(ours: Float32Array, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  const scale = Math.max(...theirs.map(Math.abs), 1e-6);
  return Math.max(...theirs.map((value, index) => Math.abs(value - ours[index]!))) / scale;
}

describe.skipIf(noPython !== undefined)(
  `Euler schedules equal diffusers' ${noPython ?? ''}`,
  () => {
    let cases: Case[] = [];
    beforeAll(() => {
      const folder = runPython('schedules.py');
      cases = JSON.parse(readFileSync(join(folder, 'schedules.json'), 'utf8')) as Case[];
    });

    it('has the reference cases', () => expect(cases.length).toBeGreaterThan(10));

    it('gives the same timesteps, sigmas, split and final sample in every case', () => {
      for (const reference of cases) {
        const name = JSON.stringify([reference.config, reference.steps]);
        const schedule = eulerSchedule(
          parseEulerConfig(reference.config, 'config'),
          reference.steps,
        );
        // zero-SNR: 1 - beta is a difference of nearly equal numbers, in float32 there and float64 here.
        const limit = reference.config['rescale_betas_zero_snr'] === true ? 1e-3 : 1e-5;
        expect(relativeError(schedule.timesteps, reference.timesteps), name).toBeLessThan(limit);
        expect(relativeError(schedule.sigmas, reference.sigmas), name).toBeLessThan(limit);
        expect(schedule.initNoiseSigma / reference.initNoiseSigma, name).toBeCloseTo(1, 4);
        expect(baseSteps(schedule, 0.8).to, name).toBe(reference.split.base);
        const refiner = refinerSteps(schedule, 0.8);
        expect(refiner.to - refiner.from, name).toBe(reference.split.refiner);
        expect(relativeError(walk(schedule), reference.walk), name).toBeLessThan(limit * 10);
      }
    });
  },
);

function walk(schedule: ReturnType<typeof eulerSchedule>): Float32Array {
  let sample: Float32Array = Float32Array.from(
    { length: 8 },
    (_, index) => (-1.5 + (3.5 * index) / 7) * schedule.initNoiseSigma,
  );
  for (const [index, timestep] of schedule.timesteps.entries()) {
    const prediction = scaleModelInput(schedule, index, sample).map(
      (value) => 0.3 * value + (0.01 * timestep) / 1000,
    );
    sample = eulerStep(schedule, index, sample, prediction);
  }
  return sample;
}

describe('Euler arithmetic', () => {
  it('finds the picture in exact noise', () => {
    const schedule = eulerSchedule(parseEulerConfig({ beta_schedule: 'scaled_linear' }, 'c'), 10);
    const picture = Float32Array.of(0.5, -1, 2);
    const noise = Float32Array.of(1, -0.25, 0.75);
    const sample = picture.map((value, at) => value + schedule.sigmas[3]! * noise[at]!);
    const found = predictedOriginal(schedule, 3, sample, noise);
    found.forEach((value, at) => expect(value).toBeCloseTo(picture[at]!, 5));
  });

  it('guides from the unconditional towards the conditional', () => {
    expect([...guide(Float32Array.of(1, 2), Float32Array.of(2, 0), 5)]).toEqual([6, -8]);
  });
});

describe('scheduler_config.json', () => {
  it('ignores fields of other schedulers', () => {
    expect(parseEulerConfig({ skip_prk_steps: true }, 'f').num_train_timesteps).toBe(1000);
  });

  it('refuses what it does not have, naming file, field and value', () => {
    const refuse = () => parseEulerConfig({ use_beta_sigmas: true }, 'scheduler_config.json');
    expect(refuse).toThrow(StudioError);
    expect(refuse).toThrow(/scheduler_config\.json: field "use_beta_sigmas" is true/);
  });
});
