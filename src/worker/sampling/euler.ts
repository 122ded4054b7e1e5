/** What the schedule is made of, by the names of diffusers' scheduler_config.json. */
export interface EulerConfig {
  readonly num_train_timesteps: number;
  readonly beta_start: number;
  readonly beta_end: number;
  readonly beta_schedule: 'linear' | 'scaled_linear' | 'squaredcos_cap_v2';
  readonly trained_betas?: readonly number[] | null | undefined;
  readonly prediction_type: 'epsilon' | 'v_prediction' | 'sample';
  readonly interpolation_type: 'linear' | 'log_linear';
  readonly use_karras_sigmas?: boolean | null | undefined;
  readonly timestep_spacing: 'linspace' | 'leading' | 'trailing';
  readonly steps_offset: number;
  readonly rescale_betas_zero_snr: boolean;
  readonly final_sigmas_type: 'zero' | 'sigma_min';
  readonly sigma_min?: number | null | undefined;
  readonly sigma_max?: number | null | undefined;
}

/** The steps of one drawing, most noise first. `sigmas` has one entry more than `timesteps`: where the last step ends. */
export interface EulerSchedule {
  /** What the network is told, float32 values. */
  readonly timesteps: Float32Array;
  readonly sigmas: Float32Array;
  /** Standard deviation of the noise to start from. */
  readonly initNoiseSigma: number;
  readonly predictionType: EulerConfig['prediction_type'];
  readonly trainTimesteps: number;
}

/**
 * Timesteps and sigmas of `steps` Euler steps, as diffusers' EulerDiscreteScheduler.set_timesteps makes them
 * (source: Karras et al. 2022, algorithm 2 without churn; diffusers 0.42).
 */
export function eulerSchedule(config: EulerConfig, steps: number): EulerSchedule {
  const trainSigmas = trainingSigmas(config);
  let timesteps = spacedTimesteps(config, steps);
  let sigmas =
    config.interpolation_type === 'linear'
      ? timesteps.map((timestep) => interpolate(trainSigmas, timestep))
      : logLinearSigmas(trainSigmas, steps);
  if (config.use_karras_sigmas === true) {
    sigmas = karrasSigmas(config, sigmas, steps);
    timesteps = sigmas.map((sigma) => timestepOfSigma(trainSigmas, sigma));
  }
  // log_linear makes steps + 1 sigmas, as diffusers does: the last of ours then ends the list.
  const last = config.final_sigmas_type === 'sigma_min' ? trainSigmas[0]! : 0;
  const all = Float32Array.from([...sigmas, last]);
  return {
    timesteps: Float32Array.from(timesteps),
    sigmas: all,
    initNoiseSigma: initialSigma(config, Math.max(...all)),
    predictionType: config.prediction_type,
    trainTimesteps: config.num_train_timesteps,
  };
}

/** The noise level at step `index`, or behind the last. */
function sigmaAt(schedule: EulerSchedule, index: number): number {
  const sigma = schedule.sigmas[index];
  if (sigma === undefined) {
    throw new RangeError(`step ${index} of a schedule of ${schedule.timesteps.length}`);
  }
  return sigma;
}

/** Number by number. */
function combine(
  left: Float32Array,
  right: Float32Array,
  join: (left: number, right: number) => number,
): Float32Array {
  return left.map((value, at) => join(value, right[at]!));
}

/** The sample as the network wants it at step `index`: sample / sqrt(sigma^2 + 1). */
export function scaleModelInput(
  schedule: EulerSchedule,
  index: number,
  sample: Float32Array,
): Float32Array {
  const sigma = sigmaAt(schedule, index);
  const divisor = Math.sqrt(sigma * sigma + 1);
  return sample.map((value) => value / divisor);
}

/** One Euler step from `schedule.sigmas[index]` to the next; arrays of any one shape. */
export function eulerStep(
  schedule: EulerSchedule,
  index: number,
  sample: Float32Array,
  prediction: Float32Array,
): Float32Array {
  const sigma = sigmaAt(schedule, index);
  const change = sigmaAt(schedule, index + 1) - sigma;
  const original = predictedOriginal(schedule, index, sample, prediction);
  return combine(sample, original, (value, end) => value + ((value - end) / sigma) * change);
}

/** The finished sample that the network's prediction at step `index` amounts to; previews are made from it. */
export function predictedOriginal(
  schedule: EulerSchedule,
  index: number,
  sample: Float32Array,
  prediction: Float32Array,
): Float32Array {
  const sigma = sigmaAt(schedule, index);
  switch (schedule.predictionType) {
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
      return schedule.predictionType satisfies never;
  }
}

/** `guidance` 1 needs no unconditional prediction; else unconditional + guidance * (conditional - unconditional). */
export function guide(
  unconditional: Float32Array,
  conditional: Float32Array,
  guidance: number,
): Float32Array {
  return combine(conditional, unconditional, (value, base) => base + guidance * (value - base));
}

/** Steps `[from, to)` of a schedule. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

/**
 * How base and refiner share a schedule: base runs the steps whose timestep is not below the cutoff, the refiner, on
 * its own schedule, those below it. `fraction` is diffusers' denoising_end and denoising_start, strictly between 0
 * and 1 (`textbind.md` section 4: 0.8).
 */
export function baseSteps(schedule: EulerSchedule, fraction: number): StepRange {
  const cutoff = timestepCutoff(schedule, fraction);
  return { from: 0, to: schedule.timesteps.filter((timestep) => timestep >= cutoff).length };
}

/** The refiner's part; see {@link baseSteps}. */
export function refinerSteps(schedule: EulerSchedule, fraction: number): StepRange {
  const cutoff = timestepCutoff(schedule, fraction);
  const count = schedule.timesteps.filter((timestep) => timestep < cutoff).length;
  return { from: schedule.timesteps.length - count, to: schedule.timesteps.length };
}

function timestepCutoff(schedule: EulerSchedule, fraction: number): number {
  return roundHalfEven(schedule.trainTimesteps - fraction * schedule.trainTimesteps);
}

/** Noise levels of training, ascending: sqrt((1 - a) / a) of the running products a of (1 - beta). */
function trainingSigmas(config: EulerConfig): Float64Array {
  let betas = trainingBetas(config);
  if (config.rescale_betas_zero_snr) betas = rescaleToZeroSnr(betas);
  let product = 1;
  return Float64Array.from(betas, (beta, index) => {
    product *= 1 - beta;
    // diffusers: the last is not quite 0, so that the first sigma is not infinite.
    const zeroSnrEnd = config.rescale_betas_zero_snr && index === betas.length - 1;
    const alpha = zeroSnrEnd ? 2 ** -24 : Math.fround(product);
    return Math.sqrt((1 - alpha) / alpha);
  });
}

function trainingBetas(config: EulerConfig): number[] {
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
  const first = roots[0]!;
  const last = roots.at(-1)!;
  const bars = roots.map((root) => (((root - last) * first) / (first - last)) ** 2);
  return bars.map((bar, index) => 1 - (index === 0 ? bar : bar / bars[index - 1]!));
}

function spacedTimesteps(config: EulerConfig, steps: number): number[] {
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
    case 'trailing': {
      const ratio = count / steps;
      // numpy's arange(count, 0, -ratio): ceil(count / ratio) values.
      const length = Math.ceil(count / ratio);
      return Array.from({ length }, (_, index) => roundHalfEven(count - index * ratio) - 1);
    }
    default:
      return config.timestep_spacing satisfies never;
  }
}

function initialSigma(config: EulerConfig, largest: number): number {
  return config.timestep_spacing === 'leading' ? Math.sqrt(largest * largest + 1) : largest;
}

/** numpy's interp over 0 .. length - 1: linear between neighbours, the ends held. */
function interpolate(values: Float64Array, at: number): number {
  const clamped = Math.min(Math.max(at, 0), values.length - 1);
  const low = Math.floor(clamped);
  const high = Math.min(low + 1, values.length - 1);
  return values[low]! + (values[high]! - values[low]!) * (clamped - low);
}

function logLinearSigmas(trainSigmas: Float64Array, steps: number): number[] {
  return linspace(Math.log(trainSigmas.at(-1)!), Math.log(trainSigmas[0]!), steps + 1).map(
    Math.exp,
  );
}

/** Karras et al. 2022, equation 5, rho 7. */
function karrasSigmas(config: EulerConfig, sigmas: readonly number[], steps: number): number[] {
  const rho = 7;
  const smallest = (config.sigma_min ?? sigmas.at(-1)!) ** (1 / rho);
  const largest = (config.sigma_max ?? sigmas[0]!) ** (1 / rho);
  return linspace(0, 1, steps).map((ramp) => (largest + ramp * (smallest - largest)) ** rho);
}

/** The (fractional) timestep whose training noise is `sigma`, by interpolation of logarithms. */
function timestepOfSigma(trainSigmas: Float64Array, sigma: number): number {
  const target = Math.log(Math.max(sigma, 1e-10));
  let low = 0;
  while (low < trainSigmas.length - 2 && Math.log(trainSigmas[low + 1]!) <= target) low++;
  const lower = Math.log(trainSigmas[low]!);
  const upper = Math.log(trainSigmas[low + 1]!);
  const weight = Math.min(Math.max((lower - target) / (lower - upper), 0), 1);
  return (1 - weight) * low + weight * (low + 1);
}

function linspace(from: number, to: number, count: number): number[] {
  if (count === 1) return [from];
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, index) =>
    index === count - 1 ? to : from + index * step,
  );
}

/** Python's and numpy's round: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
