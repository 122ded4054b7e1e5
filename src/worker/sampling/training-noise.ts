/** The noise of training, which all schedulers of diffusers share. */
import { entryAt, roundHalfEven } from './scheduler.ts';

/** What it is made of, by the names of diffusers' scheduler_config.json. */
export interface TrainingNoiseConfig {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  readonly trained_betas?: readonly number[] | null | undefined;
  readonly rescale_betas_zero_snr: boolean;
}

/** Running products of (1 - beta), float32 values: how much of the picture is left at each timestep. */
export function trainingAlphas(config: TrainingNoiseConfig): Float64Array {
  let betas = trainingBetas(config);
  if (config.rescale_betas_zero_snr) betas = rescaleToZeroSnr(betas);
  let product = 1;
  return Float64Array.from(betas, (beta) => {
    product *= 1 - beta;
    return Math.fround(product);
  });
}

/**
 * Noise levels of training, ascending: sqrt((1 - a) / a) of {@link trainingAlphas}. Under zero terminal signal the last
 * alpha is not quite 0, so that its level is not infinite, as in diffusers.
 */
export function trainingSigmas(config: TrainingNoiseConfig): Float64Array {
  return trainingAlphas(config).map((alpha, index, { length }) => {
    const bare = config.rescale_betas_zero_snr && index === length - 1 ? 2 ** -24 : alpha;
    return Math.sqrt((1 - bare) / bare);
  });
}

function trainingBetas(config: TrainingNoiseConfig): number[] {
  const count = config.num_train_timesteps;
  if (config.trained_betas) return config.trained_betas.map(Math.fround);
  switch (config.beta_schedule) {
    case 'linear':
      return linspace(config.beta_start, config.beta_end, count).map(Math.fround);
    case 'scaled_linear':
      return linspace(Math.sqrt(config.beta_start), Math.sqrt(config.beta_end), count).map((root) =>
        Math.fround(Math.fround(root) ** 2),
      );
    case 'squaredcos_cap_v2':
      return Array.from({ length: count }, (_, index) =>
        Math.fround(
          Math.min(1 - cosineAlphaBar((index + 1) / count) / cosineAlphaBar(index / count), 0.999),
        ),
      );
    default:
      return config.beta_schedule satisfies never;
  }
}

function cosineAlphaBar(time: number): number {
  return Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

/** Shifts and scales sqrt(alpha bar) so that its last value is 0 (Lin et al. 2023, algorithm 1). */
function rescaleToZeroSnr(betas: readonly number[]): number[] {
  let product = 1;
  const roots = betas.map((beta) => Math.sqrt((product *= 1 - beta)));
  const [first, last] = [entryAt(roots, 0), entryAt(roots, -1)];
  const bars = roots.map((root) => (((root - last) * first) / (first - last)) ** 2);
  return bars.map((bar, index) => 1 - (index === 0 ? bar : bar / entryAt(bars, index - 1)));
}

/** How timesteps are spread over training's. */
export interface SpacingConfig {
  readonly num_train_timesteps: number;
  readonly timestep_spacing: 'linspace' | 'leading' | 'trailing';
  readonly steps_offset: number;
}

/** The timesteps of Euler's schedulers, most noise first. */
export function spacedTimesteps(config: SpacingConfig, steps: number): number[] {
  const count = config.num_train_timesteps;
  switch (config.timestep_spacing) {
    case 'linspace':
      return linspace(0, count - 1, steps)
        .map(Math.fround)
        .reverse();
    case 'leading': {
      const ratio = Math.floor(count / steps);
      return Array.from(
        { length: steps },
        (_, index) => (steps - 1 - index) * ratio + config.steps_offset,
      );
    }
    case 'trailing':
      return trailingTimesteps(count, steps);
    default:
      return config.timestep_spacing satisfies never;
  }
}

/** numpy's round(arange(count, 0, -ratio)) - 1: ceil(count / ratio) values. */
export function trailingTimesteps(count: number, steps: number): number[] {
  const ratio = count / steps;
  const length = Math.ceil(count / ratio);
  return Array.from({ length }, (_, index) => roundHalfEven(count - index * ratio) - 1);
}

/** Euler's standard deviation of the noise to start from. */
export function initialSigma({ timestep_spacing: spacing }: SpacingConfig, largest: number) {
  return spacing === 'leading' ? Math.sqrt(largest * largest + 1) : largest;
}

/** numpy's interp over 0 .. length - 1: linear between neighbours, the ends held. */
export function interpolate(values: Float64Array, at: number): number {
  const clamped = Math.min(Math.max(at, 0), values.length - 1);
  const low = Math.floor(clamped);
  const high = Math.min(low + 1, values.length - 1);
  const from = entryAt(values, low);
  return from + (entryAt(values, high) - from) * (clamped - low);
}

/** Karras et al. 2022, equation 5, rho 7. */
export function karrasSigmas(smallest: number, largest: number, steps: number): number[] {
  const rho = 7;
  const [low, high] = [smallest ** (1 / rho), largest ** (1 / rho)];
  return linspace(0, 1, steps).map((ramp) => (high + ramp * (low - high)) ** rho);
}

/** The (fractional) timestep whose training noise is `sigma`, by interpolation of logarithms. */
export function timestepOfSigma(trainSigmas: Float64Array, sigma: number): number {
  const target = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  while (low < trainSigmas.length - 2 && Math.log(entryAt(trainSigmas, low + 1)) <= target) low++;
  const lower = Math.log(entryAt(trainSigmas, low));
  const upper = Math.log(entryAt(trainSigmas, low + 1));
  const weight = Math.min(Math.max((lower - target) / (lower - upper), 0), 1);
  return (1 - weight) * low + weight * (low + 1);
}

/** `count` numbers evenly apart, both ends among them. */
export function linspace(from: number, to: number, count: number): number[] {
  if (count === 1) return [from];
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, index) =>
    index === count - 1 ? to : from + index * step,
  );
}
