import { combine, entryAt, type PredictionType, type Scheduler } from './scheduler.ts';
import {
  initialSigma,
  interpolate,
  karrasSigmas,
  linspace,
  spacedTimesteps,
  timestepOfSigma,
  trainingSigmas,
  type SpacingConfig,
  type TrainingNoiseConfig,
} from './training-noise.ts';

/** What the schedule is made of, by the names of diffusers' scheduler_config.json. */
export interface EulerConfig extends TrainingNoiseConfig, SpacingConfig {
  readonly prediction_type: PredictionType;
  readonly interpolation_type: 'linear' | 'log_linear';
  readonly use_karras_sigmas?: boolean | null | undefined;
  readonly final_sigmas_type: 'zero' | 'sigma_min';
  readonly sigma_min?: number | null | undefined;
  readonly sigma_max?: number | null | undefined;
}

/** Noise levels, and what a network predicts at each; one entry more than steps: where the last step ends. */
interface Levels {
  readonly sigmas: Float32Array;
  readonly predictionType: PredictionType;
}

/**
 * diffusers' EulerDiscreteScheduler (source: Karras et al. 2022, algorithm 2 without churn; diffusers 0.42).
 */
export function eulerScheduler(config: EulerConfig, steps: number): Scheduler & Levels {
  const trainSigmas = trainingSigmas(config);
  let timesteps = spacedTimesteps(config, steps);
  let sigmas =
    config.interpolation_type === 'linear'
      ? timesteps.map((timestep) => interpolate(trainSigmas, timestep))
      : logLinearSigmas(trainSigmas, steps);
  if (config.use_karras_sigmas === true) {
    const smallest = config.sigma_min ?? entryAt(sigmas, -1);
    sigmas = karrasSigmas(smallest, config.sigma_max ?? entryAt(sigmas, 0), steps);
    timesteps = sigmas.map((sigma) => timestepOfSigma(trainSigmas, sigma));
  }
  // log_linear makes steps + 1 sigmas, as diffusers does: the last of ours then ends the list.
  const last = config.final_sigmas_type === 'sigma_min' ? entryAt(trainSigmas, 0) : 0;
  const levels = {
    sigmas: Float32Array.from([...sigmas, last]),
    predictionType: config.prediction_type,
  };
  return {
    ...eulerBase(config, levels, timesteps),
    ...levels,
    step(index, sample, prediction) {
      const sigma = entryAt(levels.sigmas, index);
      const change = entryAt(levels.sigmas, index + 1) - sigma;
      const original = eulerOriginal(levels, index, sample, prediction);
      return combine(sample, original, (value, end) => value + ((value - end) / sigma) * change);
    },
  };
}

/** diffusers' EulerAncestralDiscreteScheduler: each step goes below its level and takes fresh noise up to it. */
export function eulerAncestralScheduler(
  config: TrainingNoiseConfig & SpacingConfig & { readonly prediction_type: PredictionType },
  steps: number,
): Scheduler {
  const trainSigmas = trainingSigmas(config);
  const timesteps = spacedTimesteps(config, steps);
  const sigmas = timesteps.map((timestep) => interpolate(trainSigmas, timestep));
  const levels = {
    sigmas: Float32Array.from([...sigmas, 0]),
    predictionType: config.prediction_type,
  };
  return {
    ...eulerBase(config, levels, timesteps),
    step(index, sample, prediction, noise) {
      const from = entryAt(levels.sigmas, index);
      const to = entryAt(levels.sigmas, index + 1);
      const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
      const change = Math.sqrt(to ** 2 - up ** 2) - from;
      const original = eulerOriginal(levels, index, sample, prediction);
      const moved = combine(
        sample,
        original,
        (value, end) => value + ((value - end) / from) * change,
      );
      return combine(moved, noise(), (value, fresh) => value + up * fresh);
    },
  };
}

function eulerBase(
  config: SpacingConfig,
  levels: Levels,
  timesteps: readonly number[],
): Omit<Scheduler, 'step'> {
  return {
    timesteps: Float32Array.from(timesteps),
    trainTimesteps: config.num_train_timesteps,
    initNoiseSigma: initialSigma(config, Math.max(...levels.sigmas)),
    /** sample / sqrt(sigma^2 + 1) */
    modelInput(index, sample) {
      const sigma = entryAt(levels.sigmas, index);
      const divisor = Math.sqrt(sigma * sigma + 1);
      return sample.map((value) => value / divisor);
    },
    predictedOriginal: (index, sample, prediction) =>
      eulerOriginal(levels, index, sample, prediction),
    noised(index, original, noise) {
      const sigma = entryAt(levels.sigmas, index);
      return combine(original, noise, (value, fresh) => value + sigma * fresh);
    },
  };
}

function eulerOriginal(
  { sigmas, predictionType }: Levels,
  index: number,
  sample: Float32Array,
  prediction: Float32Array,
): Float32Array {
  const sigma = entryAt(sigmas, index);
  switch (predictionType) {
    case 'epsilon':
      return combine(sample, prediction, (value, noise) => value - sigma * noise);
    case 'sample':
      return prediction;
    case 'v_prediction': {
      const square = sigma * sigma + 1;
      const outward = -sigma / Math.sqrt(square);
      return combine(sample, prediction, (value, velocity) => velocity * outward + value / square);
    }
    default:
      return predictionType satisfies never;
  }
}

function logLinearSigmas(trainSigmas: Float64Array, steps: number): number[] {
  return linspace(
    Math.log(entryAt(trainSigmas, -1)),
    Math.log(entryAt(trainSigmas, 0)),
    steps + 1,
  ).map(Math.exp);
}
