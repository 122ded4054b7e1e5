import { combine, entryAt, type PredictionType, type Scheduler } from './scheduler.ts';
import { originalOfScaled } from './scaled-sample.ts';
import { trainingAlphas, type TrainingNoiseConfig } from './training-noise.ts';

/** What the schedule is made of, by the names of diffusers' scheduler_config.json. */
export interface LcmConfig extends TrainingNoiseConfig {
  readonly prediction_type: PredictionType;
  /** Steps of the schedule that the few are taken from. */
  readonly original_inference_steps: number;
  readonly timestep_scaling: number;
  readonly set_alpha_to_one: boolean;
  readonly clip_sample: boolean;
  readonly clip_sample_range: number;
}

/** Standard deviation of the data that the boundary conditions assume. */
const dataSigma = 0.5;

/**
 * diffusers' LCMScheduler, for latent consistency models: each step predicts the picture and noises it anew, less each
 * time (source: Luo et al. 2023, "Latent Consistency Models", algorithm 4; diffusers 0.42).
 */
export function lcmScheduler(config: LcmConfig, steps: number): Scheduler {
  const alphas = trainingAlphas(config);
  const timesteps = Float32Array.from(lcmTimesteps(config, steps));
  const alphaAt = (timestep: number): number => entryAt(alphas, timestep);
  const predictedOriginal: Scheduler['predictedOriginal'] = (index, sample, prediction) => {
    const alpha = alphaAt(entryAt(timesteps, index));
    const noise = Math.sqrt((1 - alpha) / alpha);
    const original = originalOfScaled(config.prediction_type, noise, sample, prediction);
    if (!config.clip_sample) return original;
    const most = config.clip_sample_range;
    return original.map((value) => Math.min(Math.max(value, -most), most));
  };
  return {
    timesteps,
    trainTimesteps: config.num_train_timesteps,
    initNoiseSigma: 1,
    modelInput: (_index, sample) => sample,
    predictedOriginal,
    noised(index, original, noise) {
      const alpha = alphaAt(entryAt(timesteps, index));
      const [kept, fresh] = [Math.sqrt(alpha), Math.sqrt(1 - alpha)];
      return combine(original, noise, (value, made) => kept * value + fresh * made);
    },
    step(index, sample, prediction, noise) {
      const original = predictedOriginal(index, sample, prediction);
      const scaled = entryAt(timesteps, index) * config.timestep_scaling;
      const total = scaled * scaled + dataSigma * dataSigma;
      const [skip, out] = [(dataSigma * dataSigma) / total, scaled / Math.sqrt(total)];
      const denoised = combine(original, sample, (end, value) => out * end + skip * value);
      if (index === timesteps.length - 1) return denoised;
      const next = alphaAt(entryAt(timesteps, index + 1));
      const [kept, fresh] = [Math.sqrt(next), Math.sqrt(1 - next)];
      return combine(denoised, noise(), (value, made) => kept * value + fresh * made);
    },
  };
}

/** Every k-th timestep of training, of which `steps` are taken evenly from the noisiest down. */
function lcmTimesteps(config: LcmConfig, steps: number): number[] {
  const { num_train_timesteps: count, original_inference_steps: originalSteps } = config;
  const stride = Math.floor(count / originalSteps);
  const wanted = Math.min(steps, originalSteps);
  return Array.from({ length: wanted }, (_, index) => {
    const place = Math.floor((index * originalSteps) / wanted);
    return (originalSteps - place) * stride - 1;
  });
}
