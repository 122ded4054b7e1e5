import { z } from 'zod';

/** Where in a conversation a search found its words. */
export const foundPlaceSchema = z.object({
  turnId: z.uuid(),
  partIndex: z.number().int().nonnegative(),
  /** Whether the turn is shown; where not, another version is current, of it or of one before it. */
  isOnPath: z.boolean(),
  /** Which drawing of the place it is, from 0, oldest first; null for the one that is current. */
  drawing: z.number().int().nonnegative().nullable(),
});
export type FoundPlace = z.infer<typeof foundPlaceSchema>;
