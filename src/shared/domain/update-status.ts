import { z } from 'zod';

/** How far the app is on its way to a newer version of itself. */
export const updateStatusSchema = z.discriminatedUnion('state', [
  /** There is no way to a newer version here; `reason` is a sentence that says why. */
  z.object({ state: z.literal('unavailable'), reason: z.string() }),
  /** `lookedAt`: when no newer version was found, in milliseconds since the epoch; null: not looked since the start. */
  z.object({ state: z.literal('idle'), lookedAt: z.number().nullable() }),
  z.object({ state: z.literal('looking') }),
  z.object({ state: z.literal('available'), version: z.string(), bytes: z.number() }),
  z.object({
    state: z.literal('downloading'),
    version: z.string(),
    received: z.number(),
    bytes: z.number(),
  }),
  /** It lies on the disk, checked. */
  z.object({ state: z.literal('ready'), version: z.string() }),
  z.object({ state: z.literal('installing'), version: z.string() }),
  /** `message` is a sentence; looking again is the way on. */
  z.object({ state: z.literal('failed'), message: z.string() }),
]);
export type UpdateStatus = z.infer<typeof updateStatusSchema>;
