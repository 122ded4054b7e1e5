import { z } from 'zod';

/** Which execution provider a session runs on, and why not a better one. */
export const providerReportSchema = z.object({
  provider: z.enum(['cuda', 'webgpu', 'cpu']),
  /** A provider that was wanted and could not be had, with its reason; empty when nothing fell back. */
  fallbacks: z.array(z.object({ provider: z.enum(['cuda', 'webgpu', 'cpu']), reason: z.string() })),
});
export type ProviderReport = z.infer<typeof providerReportSchema>;

export const openModelReportSchema = z.object({
  name: z.string(),
  folder: z.string(),
  canDraw: z.boolean(),
  /** What it can draw: its own size, of what both sides of any size are multiples, pixels; the guidance that suits it. */
  drawing: z
    .object({
      side: z.number().int().positive(),
      step: z.number().int().positive(),
      guidance: z.number(),
      /** Whether it is drawn in a process of its own, which is started when it is needed. */
      apart: z.boolean().optional(),
    })
    .optional(),
  maxSequenceLength: z.number().int().positive(),
  providers: providerReportSchema,
  /** Seconds it took to open. */
  seconds: z.number().nonnegative(),
});
export type OpenModelReport = z.infer<typeof openModelReportSchema>;

/**
 * The worker as the supervisor knows it. `halted`: it crashed three times in five minutes, and a person must say
 * "try again". `loading`: it runs and opens a model.
 */
export const engineStatusSchema = z.object({
  state: z.enum([
    'starting',
    'loading',
    'ready',
    'busy',
    'unresponsive',
    'crashed',
    'halted',
    'stopped',
  ]),
  /** What happened, for crashed, halted and unresponsive: a sentence. */
  reason: z.string().nullable(),
  /** Milliseconds until the next start, when one is planned. */
  restartInMs: z.number().int().nonnegative().nullable(),
  crashes: z.number().int().nonnegative(),
  model: openModelReportSchema.nullable(),
});
export type EngineStatus = z.infer<typeof engineStatusSchema>;
