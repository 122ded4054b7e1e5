/**
 * A scheduler: the steps of one drawing, and what a network's prediction makes of the sample at each. Arrays are of any
 * one shape. One scheduler goes with one drawing: some remember the step before.
 */
export interface Scheduler {
  /** What the network is told at each step, most noise first. */
  readonly timesteps: Float32Array;
  /** Timesteps of training; the refiner's share is counted in them. */
  readonly trainTimesteps: number;
  /** Standard deviation of the noise to start from. */
  readonly initNoiseSigma: number;
  /** The sample as the network wants it at step `index`. */
  modelInput(index: number, sample: Float32Array): Float32Array;
  /** The finished sample that the prediction at step `index` amounts to; previews are made from it. */
  predictedOriginal(index: number, sample: Float32Array, prediction: Float32Array): Float32Array;
  /** The sample that step `index` starts from, where a finished one is noised up to it: for drawing from a picture. */
  noised(index: number, original: Float32Array, noise: Float32Array): Float32Array;
  /**
   * The sample after step `index`.
   * @param noise draws fresh noise of unit variance, of as many numbers as the sample; called where the step takes some
   */
  step(
    index: number,
    sample: Float32Array,
    prediction: Float32Array,
    noise: () => Float32Array,
  ): Float32Array;
}

/** What a network was trained to predict. */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample';

/** `guidance` 1 needs no unconditional prediction; else unconditional + guidance * (conditional - unconditional). */
export function guide(
  unconditional: Float32Array,
  conditional: Float32Array,
  guidance: number,
): Float32Array {
  return combine(conditional, unconditional, (value, base) => base + guidance * (value - base));
}

/** Number by number. */
export function combine(
  left: Float32Array,
  right: Float32Array,
  join: (left: number, right: number) => number,
): Float32Array {
  return left.map((value, at) => join(value, right[at]!));
}

/** The entry of a schedule for step `index`, or from its end where that is negative. @throws RangeError where none is */
export function entryAt(entries: Float32Array | Float64Array | readonly number[], index: number) {
  const entry = entries.at(index);
  if (entry === undefined) throw new RangeError(`step ${index} of a schedule of ${entries.length}`);
  return entry;
}

/** Steps `[from, to)` of a scheduler. */
export interface StepRange {
  readonly from: number;
  readonly to: number;
}

type Timed = Pick<Scheduler, 'timesteps' | 'trainTimesteps'>;

/**
 * How base and refiner share a drawing: base runs the steps whose timestep is not below the cutoff, the refiner, on
 * its own schedule, those below it. `fraction` is diffusers' denoising_end and denoising_start, strictly between 0
 * and 1 (`textbind.md` section 4: 0.8).
 */
export function baseSteps(scheduler: Timed, fraction: number): StepRange {
  const cutoff = timestepCutoff(scheduler, fraction);
  return { from: 0, to: scheduler.timesteps.filter((timestep) => timestep >= cutoff).length };
}

/** The refiner's part; see {@link baseSteps}. */
export function refinerSteps(scheduler: Timed, fraction: number): StepRange {
  const cutoff = timestepCutoff(scheduler, fraction);
  const count = scheduler.timesteps.filter((timestep) => timestep < cutoff).length;
  return { from: scheduler.timesteps.length - count, to: scheduler.timesteps.length };
}

function timestepCutoff({ trainTimesteps }: Timed, fraction: number): number {
  return roundHalfEven(trainTimesteps - fraction * trainTimesteps);
}

/** Python's and numpy's round: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
