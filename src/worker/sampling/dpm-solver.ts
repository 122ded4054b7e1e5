import {
  combine,
  entryAt,
  roundHalfEven,
  type PredictionType,
  type Scheduler,
} from './scheduler.ts';
import {
  interpolate,
  karrasSigmas,
  linspace,
  timestepOfSigma,
  trailingTimesteps,
  trainingSigmas,
  type SpacingConfig,
  type TrainingNoiseConfig,
} from './training-noise.ts';
import { originalOfScaled } from './scaled-sample.ts';

/** What the schedule is made of, by the names of diffusers' scheduler_config.json. */
export interface DpmSolverConfig extends TrainingNoiseConfig, SpacingConfig {
  readonly prediction_type: PredictionType;
  readonly solver_order: 1 | 2;
  readonly solver_type: 'midpoint' | 'heun';
  readonly use_karras_sigmas?: boolean | null | undefined;
  readonly final_sigmas_type: 'zero' | 'sigma_min';
  /** The last of few steps is of first order, for stability. */
  readonly lower_order_final: boolean;
  readonly euler_at_final: boolean;
}

/** Below this many steps the last one is of first order. */
const fewSteps = 15;

/**
 * DPM-Solver++ of first or second order (2M), diffusers' DPMSolverMultistepScheduler (source: Lu et al. 2022,
 * "DPM-Solver++", algorithm 2; diffusers 0.42). It works on samples of unit variance.
 */
export function dpmSolverScheduler(config: DpmSolverConfig, steps: number): Scheduler {
  const { timesteps, sigmas } = dpmSchedule(config, steps);
  const count = timesteps.length;
  const lastIsFirstOrder =
    config.euler_at_final ||
    (config.lower_order_final && count < fewSteps) ||
    config.final_sigmas_type === 'zero';
  /** The original that the step before predicted; a drawing that begins here has none. */
  let before: { readonly index: number; readonly original: Float32Array } | null = null;
  const predictedOriginal: Scheduler['predictedOriginal'] = (index, sample, prediction) =>
    originalOfScaled(config.prediction_type, entryAt(sigmas, index), sample, prediction);
  return {
    timesteps: Float32Array.from(timesteps),
    trainTimesteps: config.num_train_timesteps,
    initNoiseSigma: 1,
    modelInput: (_index, sample) => sample,
    predictedOriginal,
    noised(index, original, noise) {
      const { alpha, sigma } = levelAt(sigmas, index);
      return combine(original, noise, (value, fresh) => alpha * value + sigma * fresh);
    },
    step(index, sample, prediction) {
      const original = predictedOriginal(index, sample, prediction);
      const earlier = before?.index === index - 1 ? before.original : null;
      before = { index, original };
      const isFirstOrder = config.solver_order === 1 || (index === count - 1 && lastIsFirstOrder);
      const [now, next] = [levelAt(sigmas, index), levelAt(sigmas, index + 1)];
      const length = next.lambda - now.lambda;
      const pull = next.alpha * Math.expm1(-length);
      const ratio = next.sigma / now.sigma;
      const first = combine(sample, original, (value, end) => ratio * value - pull * end);
      if (isFirstOrder || earlier === null) return first;
      const gone = (now.lambda - levelAt(sigmas, index - 1).lambda) / length;
      const weight =
        config.solver_type === 'midpoint'
          ? -0.5 * pull
          : next.alpha * (Math.expm1(-length) / length + 1);
      const slope = combine(original, earlier, (newer, older) => (newer - older) / gone);
      return combine(first, slope, (value, change) => value + weight * change);
    },
  };
}

/** A noise level as the shares of picture and noise in a sample of unit variance, and half the logarithm of their ratio. */
function levelAt(sigmas: Float32Array, index: number) {
  const noise = entryAt(sigmas, index);
  const alpha = 1 / Math.sqrt(noise * noise + 1);
  return { alpha, sigma: noise * alpha, lambda: -Math.log(noise) };
}

function dpmSchedule(config: DpmSolverConfig, steps: number) {
  const trainSigmas = trainingSigmas(config);
  let timesteps = dpmTimesteps(config, steps);
  let sigmas = timesteps.map((timestep) => interpolate(trainSigmas, timestep));
  if (config.use_karras_sigmas === true) {
    sigmas = karrasSigmas(entryAt(trainSigmas, 0), entryAt(trainSigmas, -1), steps);
    timesteps = sigmas
      .map((sigma) => timestepOfSigma(trainSigmas, sigma))
      .map((timestep) =>
        // As diffusers: only the cosine schedule keeps fractions, which its integers then cut off.
        config.beta_schedule === 'squaredcos_cap_v2'
          ? Math.trunc(timestep)
          : roundHalfEven(timestep),
      );
  }
  const last = config.final_sigmas_type === 'sigma_min' ? entryAt(trainSigmas, 0) : 0;
  return { timesteps, sigmas: Float32Array.from([...sigmas, last]) };
}

function dpmTimesteps(config: DpmSolverConfig, steps: number): number[] {
  const count = config.num_train_timesteps;
  switch (config.timestep_spacing) {
    case 'linspace':
      return linspace(0, count - 1, steps + 1)
        .slice(1)
        .map(roundHalfEven)
        .reverse();
    case 'leading': {
      const ratio = Math.floor(count / (steps + 1));
      return Array.from(
        { length: steps },
        (_, index) => (steps - index) * ratio + config.steps_offset,
      );
    }
    case 'trailing':
      return trailingTimesteps(count, steps);
    default:
      return config.timestep_spacing satisfies never;
  }
}
