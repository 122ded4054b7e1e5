import { z } from 'zod';
import { excess, parseJson, readTextFile } from '../../../base/json-file.ts';
import { StudioError } from '../../../shared/errors.ts';
import { dpmSolverScheduler } from '../../sampling/dpm-solver.ts';
import { eulerAncestralScheduler, eulerScheduler } from '../../sampling/euler.ts';
import { lcmScheduler } from '../../sampling/lcm.ts';
import type { Scheduler } from '../../sampling/scheduler.ts';

/** A fresh scheduler of so many steps; each drawing takes its own. */
export type MakeScheduler = (steps: number) => Scheduler;

// The fields of diffusers' scheduler_config.json that each scheduler reads, with its own defaults. Fields of other
// schedulers that ride along in the same file (clip_sample, skip_prk_steps, ...) have no effect there either. What we
// do not have is refused by name rather than ignored.
const trainingNoise = {
  num_train_timesteps: z.number().int().min(2).default(1000),
  beta_start: z.number().positive().default(0.0001),
  beta_end: z.number().positive().default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.array(z.number()).nonempty().nullish(),
  rescale_betas_zero_snr: z.boolean().default(false),
};
const spacing = {
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).default('linspace'),
  steps_offset: z.number().int().default(0),
};
const predictionType = z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon');
const off = z.literal(false).nullish();
const otherSigmas = { use_exponential_sigmas: off, use_beta_sigmas: off };
const finalSigmas = z.enum(['zero', 'sigma_min']).default('zero');

const eulerSchema = z.object({
  ...trainingNoise,
  ...spacing,
  ...otherSigmas,
  prediction_type: predictionType,
  interpolation_type: z.enum(['linear', 'log_linear']).default('linear'),
  use_karras_sigmas: z.boolean().nullish(),
  final_sigmas_type: finalSigmas,
  sigma_min: z.number().nullish(),
  sigma_max: z.number().nullish(),
  timestep_type: z.literal('discrete').default('discrete'),
});
const ancestralSchema = z.object({
  ...trainingNoise,
  ...spacing,
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
});
const dpmSolverSchema = z.object({
  ...trainingNoise,
  ...spacing,
  ...otherSigmas,
  prediction_type: predictionType,
  solver_order: z.union([z.literal(1), z.literal(2)]).default(2),
  algorithm_type: z.literal('dpmsolver++').default('dpmsolver++'),
  solver_type: z.enum(['midpoint', 'heun']).default('midpoint'),
  lower_order_final: z.boolean().default(true),
  euler_at_final: z.boolean().default(false),
  use_karras_sigmas: z.boolean().nullish(),
  final_sigmas_type: finalSigmas,
  thresholding: off,
  use_lu_lambdas: off,
  use_flow_sigmas: off,
  use_dynamic_shifting: off,
  // -Infinity, which JSON writes in several ways or not at all.
  lambda_min_clipped: z.union([z.literal('-Infinity'), z.literal('-inf'), z.null()]).optional(),
  variance_type: z.null().optional(),
});
const lcmSchema = z.object({
  ...trainingNoise,
  beta_start: z.number().positive().default(0.00085),
  beta_end: z.number().positive().default(0.012),
  beta_schedule: trainingNoise.beta_schedule.unwrap().default('scaled_linear'),
  prediction_type: predictionType,
  original_inference_steps: z.number().int().positive().default(50),
  timestep_scaling: z.number().positive().default(10),
  set_alpha_to_one: z.boolean().default(true),
  clip_sample: z.boolean().default(false),
  clip_sample_range: z.number().positive().default(1),
  thresholding: off,
});

/** Schedulers by their `_class_name`; a file without one is taken for Euler's, which SDXL is published with. */
const makers: Readonly<Record<string, (json: unknown, file: string) => MakeScheduler>> = {
  EulerDiscreteScheduler: (json, file) => {
    const config = checked(eulerSchema, json, file);
    return (steps) => eulerScheduler(config, steps);
  },
  EulerAncestralDiscreteScheduler: (json, file) => {
    const config = checked(ancestralSchema, json, file);
    return (steps) => eulerAncestralScheduler(config, steps);
  },
  DPMSolverMultistepScheduler: (json, file) => {
    const config = checked(dpmSolverSchema, json, file);
    return (steps) => dpmSolverScheduler(config, steps);
  },
  LCMScheduler: (json, file) => {
    const config = checked(lcmSchema, json, file);
    if (config.original_inference_steps > config.num_train_timesteps) {
      throw new StudioError(
        'model-invalid',
        `${file}: field "original_inference_steps" is ${config.original_inference_steps}: at most ${config.num_train_timesteps}`,
      );
    }
    return (steps) => lcmScheduler(config, steps);
  },
};
const classSchema = z.looseObject({ _class_name: z.string().default('EulerDiscreteScheduler') });

/**
 * Reads a scheduler_config.json. Python writes an infinity as it is, which is no JSON.
 * @throws StudioError `model-invalid` naming what is wrong, `unsupported` for a scheduler that we do not have
 */
export function readScheduler(file: string): MakeScheduler {
  const text = readTextFile(file, 'model-invalid');
  const fault = excess(text);
  if (fault !== null) throw new StudioError('model-invalid', `${file}: ${fault}`);
  const json = text.replaceAll(/:\s*-Infinity(?=\s*[,}])/g, ': "-Infinity"');
  return parseScheduler(parseJson(json, file, 'model-invalid'), file);
}

/**
 * Reads the contents of a scheduler_config.json.
 * @throws StudioError `model-invalid` naming the field and its value; `unsupported` for a scheduler that we do not have
 */
export function parseScheduler(json: unknown, file: string): MakeScheduler {
  const { _class_name: name } = checked(classSchema, json, file);
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (make === undefined) {
    throw new StudioError(
      'unsupported',
      `${file}: field "_class_name" is "${name}", which is not supported (supported: ${Object.keys(makers).join(', ')})`,
    );
  }
  return make(json, file);
}

function checked<S extends z.ZodType>(schema: S, json: unknown, file: string): z.output<S> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path = [], message = 'is not as expected' } = parsed.error.issues[0] ?? {};
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    json,
  );
  throw new StudioError(
    'model-invalid',
    `${file}: field "${path.join('.')}" is ${JSON.stringify(value)}: ${message}`,
  );
}
