import { z } from 'zod';

/** How a model does on this machine: what was measured, what is expected, and what then happened. Seconds; bytes. */

const provider = z.enum(['cuda', 'webgpu', 'cpu']);

/** A short calibration: the model was opened, spoke and drew. */
export const fitMeasureSchema = z.object({
  openSeconds: z.number().nonnegative(),
  tokensPerSecond: z.number().positive(),
  /** Of the prompt. */
  promptTokensPerSecond: z.number().positive(),
  /** Null where it draws nothing: of one step, and of what a picture takes beside its steps. */
  drawing: z
    .object({ secondsPerStep: z.number().nonnegative(), secondsBeside: z.number().nonnegative() })
    .nullable(),
  /** Of the processors' time, what other programs took meanwhile: with much of it the figures are too low. */
  othersShare: z.number().min(0).max(1),
  /** The most that the process held while it spoke, and while it drew. */
  talkingBytes: z.number().nonnegative(),
  drawingBytes: z.number().nonnegative().nullable(),
});
export type FitMeasure = z.infer<typeof fitMeasureSchema>;

/** What then happened, beside what was expected; the newest last. */
export const fitObservationSchema = z.object({
  at: z.number(),
  kind: z.enum(['words', 'picture']),
  /** Tokens a second, or seconds a picture. */
  expected: z.number().positive(),
  happened: z.number().positive(),
});
export type FitObservation = z.infer<typeof fitObservationSchema>;

export const fitRecordSchema = z.object({
  folder: z.string(),
  provider,
  /** A model that is another by now is measured anew. */
  bytesOnDisk: z.number(),
  at: z.number(),
  measured: fitMeasureSchema,
  /** By what expectations are multiplied since: 1 where they were right. */
  corrections: z.object({ words: z.number().positive(), picture: z.number().positive() }),
  observations: z.array(fitObservationSchema),
});
export type FitRecord = z.infer<typeof fitRecordSchema>;

export const fitEstimateSchema = z.object({
  folder: z.string(),
  bytesOnDisk: z.number(),
  provider,
  /** How numbers are kept where it runs. */
  precision: z.string(),
  /** Where the figures come from: this model was measured here, another one was, or none. */
  basis: z.enum(['measured', 'scaled', 'none']),
  tokensPerSecond: z.number().nullable(),
  secondsPerPicture: z.number().nullable(),
  /** Steps of such a picture. */
  steps: z.number().int().positive(),
  memory: z.array(z.object({ part: z.enum(['words', 'pictures']), bytes: z.number() })),
  /** It was measured while other programs were busy. */
  wasBusy: z.boolean(),
  fits: z.boolean(),
  /** Where it does not: what would. */
  wouldFit: z.string().nullable(),
  /** The mean distance of the last expectations from what happened, as a share; null where nothing happened yet. */
  error: z.number().nullable(),
});
export type FitEstimate = z.infer<typeof fitEstimateSchema>;
