import { z } from 'zod';
import { StudioError } from '../../../shared/errors.ts';
import type { EulerConfig } from '../../sampling/euler.ts';

/**
 * The fields of diffusers' scheduler_config.json that the Euler discrete scheduler reads, with its defaults. Fields
 * of other schedulers that ride along in the same file (clip_sample, skip_prk_steps, ...) have no effect there either.
 */
const eulerConfigSchema = z.object({
  num_train_timesteps: z.number().int().min(2).default(1000),
  beta_start: z.number().positive().default(0.0001),
  beta_end: z.number().positive().default(0.02),
  beta_schedule: z.enum(['linear', 'scaled_linear', 'squaredcos_cap_v2']).default('linear'),
  trained_betas: z.array(z.number()).nullish(),
  prediction_type: z.enum(['epsilon', 'v_prediction', 'sample']).default('epsilon'),
  interpolation_type: z.enum(['linear', 'log_linear']).default('linear'),
  use_karras_sigmas: z.boolean().nullish(),
  timestep_spacing: z.enum(['linspace', 'leading', 'trailing']).default('linspace'),
  steps_offset: z.number().int().default(0),
  rescale_betas_zero_snr: z.boolean().default(false),
  final_sigmas_type: z.enum(['zero', 'sigma_min']).default('zero'),
  sigma_min: z.number().nullish(),
  sigma_max: z.number().nullish(),
  // What we do not have is refused by name rather than ignored.
  use_exponential_sigmas: z.literal(false).nullish(),
  use_beta_sigmas: z.literal(false).nullish(),
  timestep_type: z.literal('discrete').default('discrete'),
});

/** Checks the contents of a scheduler_config.json; `model-invalid` names the field and its value. */
export function parseEulerConfig(json: unknown, file: string): EulerConfig {
  const parsed = eulerConfigSchema.safeParse(json);
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
